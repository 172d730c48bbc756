#!/bin/sh
# Signals CloudFormation by what agentcheck-boot.service found: ok and warn are a success, fail,
# could-not-tell and mistakes in the configuration are none.
# Needs curl and aws-cfn-bootstrap; no right of the role, but a way to CloudFormation (in a private
# subnet: its endpoint). Where nothing can be told the resource's own time-out decides.
set -eu
: "${STACK:?}" "${RESOURCE:?}"
PATH=$PATH:/opt/aws/bin

case "$SERVICE_RESULT/${EXIT_CODE-}/${EXIT_STATUS-}" in
    success/exited/0 | success/exited/1) success=true ;;
    success/exited/130 | success/killed/*) exit 0 ;; # stopped amid its wait: no verdict
    *) success=false ;;
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

exec cfn-signal --success "$success" --stack "$STACK" --resource "$RESOURCE" \
    --id "$instance" --region "$region"
