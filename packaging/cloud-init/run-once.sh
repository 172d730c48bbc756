#!/bin/sh
# User data: installs agentcheck and runs it once, at the first boot of the instance. Its verdict is
# then in: aws ec2 get-console-output --latest --output text --instance-id INSTANCE
# Set the two values. Whatever goes wrong here, the instance boots as it would without.
package=s3://BUCKET/agentcheck.deb
sha256=0000000000000000000000000000000000000000000000000000000000000000

script=$(mktemp) || exit 0
cat >"$script" <<'END_OF_INSTALL'
#!/bin/sh
set -eu

die() { # die STATUS MESSAGE
    status=$1
    shift
    printf 'install agentcheck: %s\n' "$*" >&2
    exit "$status"
}

need() { # need COMMAND WHAT_TO_DO
    command -v "$1" >/dev/null 2>&1 || die 69 "$1 is not installed; $2"
}

last_line() { # of what a command said, for a message of one line
    grep -v '^[[:space:]]*$' "$folder/said" | tail -n 1 | cut -c 1-300
}

reason() { # the same of a package manager: what is missing says more than how it ended
    lacking=$(grep -i -m 1 'depends' "$folder/said" | sed 's/^[[:space:]]*//' | cut -c 1-300)
    [ -n "$lacking" ] || lacking=$(last_line)
    printf '%s\n' "$lacking"
}

region() { # the instance's own, from the metadata service
    imds=http://169.254.169.254/latest
    token=$(curl -fsS --noproxy '*' -m 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
        "$imds/api/token" 2>/dev/null) || return 1
    # By stdin: arguments are seen by all users.
    printf 'X-aws-ec2-metadata-token: %s\n' "$token" | curl -fsS --noproxy '*' -m 3 -H @- \
        "$imds/meta-data/placement/region" 2>/dev/null
}

fetch() {
    case $source in
    s3://*)
        need aws 'install the AWS CLI, or give a presigned https:// URL'
        [ -n "$region" ] || region=$(region) ||
            die 69 'the Region is not known (IMDS does not answer); give it as third argument'
        aws s3 cp --only-show-errors --region "$region" --cli-connect-timeout 10 \
            --cli-read-timeout 60 "$source" "$file" >"$folder/said" 2>&1 </dev/null ||
            die 69 "no $source: $(last_line); look at the S3 gateway endpoint's route and policy," \
                "443 out in the security group, s3:GetObject of the role"
        ;;
    https://*)
        need curl 'or copy the file here and give its path'
        # The query of a presigned URL is a secret: it is not repeated.
        curl -fsS --retry 3 --connect-timeout 10 -m 300 -o "$file" "$source" \
            >"$folder/said" 2>&1 </dev/null || die 69 "no ${source%%\?*}: $(last_line)"
        ;;
    /*)
        cp -- "$source" "$file" 2>"$folder/said" || die 69 "$(last_line)"
        ;;
    esac
}

verify() {
    need sha256sum 'it is part of coreutils'
    found=$(sha256sum <"$file")
    [ "${found%% *}" = "$sha256" ] ||
        die 65 "SHA-256 of ${source%%\?*} is ${found%% *}, not $sha256; nothing was installed"
}

install_deb() {
    need dpkg 'a .deb is for Debian and Ubuntu; take the .rpm or the .pyz'
    wanted=$(dpkg-deb -f "$file" Version 2>"$folder/said") ||
        die 65 "no Debian package: $(last_line)"
    # shellcheck disable=SC2016 # dpkg-query fills in what looks like variables
    if [ "$(dpkg-query -W -f '${Status} ${Version}' agentcheck 2>/dev/null)" = \
        "install ok installed $wanted" ]; then
        already "$wanted"
    fi
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # apt-get touches nothing unless it has all that the package depends on.
    if command -v apt-get >/dev/null 2>&1; then
        apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Acquire::Retries=0 \
            -o Dpkg::Options::=--force-confold install "$file" >"$folder/said" 2>&1 </dev/null ||
            die 73 "apt-get: $(reason); where packages are out of reach take the .pyz"
    else
        dpkg --force-confold -i "$file" >"$folder/said" 2>&1 </dev/null ||
            die 73 "dpkg: $(reason)"
    fi
}

install_rpm() {
    need rpm 'an .rpm is for Amazon Linux 2023 and RHEL 9; take the .deb or the .pyz'
    query='%{VERSION}-%{RELEASE}'
    wanted=$(rpm -qp --qf "$query" "$file" 2>"$folder/said") ||
        die 65 "no RPM package: $(last_line)"
    if [ "$(rpm -q --qf "$query" agentcheck 2>/dev/null)" = "$wanted" ]; then
        already "$wanted"
    fi
    if command -v dnf >/dev/null 2>&1; then
        dnf -q -y install "$file" >"$folder/said" 2>&1 </dev/null || die 73 "dnf: $(reason)"
    else
        rpm -U --quiet "$file" >"$folder/said" 2>&1 </dev/null || die 73 "rpm: $(reason)"
    fi
}

install_pyz() {
    need python3 'a .pyz needs Python 3.9 or newer'
    wanted='(one file)'
    target=/usr/local/bin/agentcheck
    if cmp -s "$file" "$target"; then
        already "$wanted"
    fi
    # Renamed into place, so that nobody ever starts half of it.
    { mkdir -p "${target%/*}" && cp "$file" "$target.new" && chmod 0755 "$target.new" &&
        mv -f "$target.new" "$target"; } 2>"$folder/said" || die 73 "$(last_line)"
}

already() {
    printf 'agentcheck %s is already installed\n' "$1"
    exit 0
}

usage='usage: install.sh s3://BUCKET/PATH|https://URL|/PATH SHA256 [REGION]'
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    die 64 "$usage"
fi
source=$1 sha256=$2 region=${3-}
case $source in
s3://?*/?* | https://?* | /?*) ;;
*) die 64 "$source: not s3://BUCKET/PATH, https://URL or /PATH; $usage" ;;
esac
kind=${source%%\?*}
kind=${kind##*.}
case $kind in
deb | rpm | pyz) ;;
*) die 64 "${source%%\?*}: neither .deb nor .rpm nor .pyz" ;;
esac
case $sha256 in
*[!0-9a-f]*) die 64 "$sha256: not a SHA-256 (64 digits and letters a-f)" ;;
esac
[ ${#sha256} -eq 64 ] || die 64 "$sha256: not a SHA-256 (64 digits and letters a-f)"
[ "$(id -u)" = 0 ] || die 77 'only root can install; use sudo'

folder=$(mktemp -d) || die 73 'no temporary folder; is the disk full?'
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 0755 "$folder"
file=$folder/agentcheck.$kind
fetch
chmod 0644 "$file"
verify
"install_$kind"
printf 'agentcheck %s is installed\n' "$wanted"
END_OF_INSTALL
# The console shows what this prints (cloud-init copies it there), so the reason is seen too.
timeout 600 sh "$script" "$package" "$sha256" 2>&1 || echo 'agentcheck: not installed, see above'
rm -f "$script"
command -v agentcheck >/dev/null 2>&1 || exit 0

# Apart from the boot, which does not wait for it: up to five minutes, until all is well. Where
# there is no systemd: one round, here.
systemd-run --quiet --no-block --collect --unit=agentcheck-once \
    agentcheck run --console --trigger boot --wait 5m 2>/dev/null ||
    timeout 60 agentcheck run --console --trigger boot ||
    echo "agentcheck: status $?, see its lines on the console"
exit 0
