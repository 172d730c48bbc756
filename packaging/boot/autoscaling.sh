#!/bin/sh
# Ends the launch hook of an Auto Scaling group by what agentcheck-boot.service found: ok and warn
# let the instance in, fail, could-not-tell and mistakes in the configuration do not.
# Needs curl and the AWS CLI, and autoscaling:CompleteLifecycleAction in the instance's role.
# Where the network or the role is what is missing nothing can be told from here, nor where
# /etc/agentcheck/disable-boot is there: then the hook's own time-out and default result decide.
set -eu
: "${GROUP:?}" "${HOOK:?}"

case "$SERVICE_RESULT/${EXIT_CODE-}/${EXIT_STATUS-}" in
    success/exited/0 | success/exited/1) result=CONTINUE ;;
    success/exited/130 | success/killed/*) exit 0 ;; # stopped amid its wait: no verdict
    *) result=ABANDON ;;
esac

imds() { # imds HEADER PATH [OPTION OF curl]...; the header by stdin, not seen among processes
    header=$1 path=$2
    shift 2
    printf '%s\n' "$header" |
        curl -sSf --noproxy '*' --max-time 5 --retry 3 -H @- "$@" "http://169.254.169.254/latest/$path"
}
token=$(imds 'X-aws-ec2-metadata-token-ttl-seconds: 60' api/token -X PUT)
instance=$(imds "X-aws-ec2-metadata-token: $token" meta-data/instance-id)
region=$(imds "X-aws-ec2-metadata-token: $token" meta-data/placement/region)

exec aws autoscaling complete-lifecycle-action --region "$region" \
    --auto-scaling-group-name "$GROUP" --lifecycle-hook-name "$HOOK" \
    --instance-id "$instance" --lifecycle-action-result "$result"
