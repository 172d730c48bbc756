# bash completion of agentcheck, made by packaging/completion/generate.py; do not edit.
# Needs nothing but bash.
# shellcheck shell=bash
_agentcheck_one() { # _agentcheck_one WORDS: one of them
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}
_agentcheck_list() { # _agentcheck_list WORDS: some of them, divided by commas
    local before='' word
    [[ $cur != *,* ]] || before=${cur%,*},
    COMPREPLY=()
    for word in $(set -f; compgen -W "$1" -- "${cur##*,}"); do
        [[ ,$before == *",$word,"* ]] || COMPREPLY+=("$before$word")
    done
    compopt -o nospace 2>/dev/null
}
_agentcheck_file() {
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
}
_agentcheck() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev='' verb='' i
    local checks='agent.installed disk ec2 image.agentcheck image.clock image.cloud-init image.credentials image.network image.trust imds agent.config agent.enabled agent.identity agent.log agent.running agent.version dns.ec2messages dns.ssm dns.ssmmessages hosts.ec2messages hosts.ssm hosts.ssmmessages proxy.ec2messages proxy.ssm proxy.ssmmessages resolver.ec2messages resolver.ssm resolver.ssmmessages role agent.channel agent.environment tcp.ec2messages tcp.ssm tcp.ssmmessages tls.ec2messages tls.ssm tls.ssmmessages permission clock dns.* hosts.* proxy.* resolver.* tcp.* tls.*'
    COMPREPLY=()
    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}
    # bash cuts --flag=value into three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }
    done
    case $verb in
    '')
        _agentcheck_one "run daemon status history explain read-console list config --help --version"
        ;;
    run)
        case $prev in
        --format) _agentcheck_one 'text json nagios prometheus html'; return ;;
        --output) _agentcheck_file; return ;;
        --only) _agentcheck_list "$checks"; return ;;
        --skip) _agentcheck_list "$checks"; return ;;
        --profile) _agentcheck_one 'instance image'; return ;;
        --wait) _agentcheck_one '90s 5m 1h'; return ;;
        --fail-on) _agentcheck_one 'warn fail'; return ;;
        --trigger) _agentcheck_one 'manual boot timer signal'; return ;;
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --format --output --only --skip --profile --wait --fail-on --trigger --console --verbose --config"
        ;;
    daemon)
        case $prev in
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --config"
        ;;
    status)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --format --config"
        ;;
    history)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --format --config"
        ;;
    explain)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        esac
        if [[ $cur != -* ]]; then
            _agentcheck_one 'healthy partial not-ec2 disk-full agent-missing agent-misconfigured agent-not-running agent-hybrid imds-disabled imds-unreachable imds-not-genuine agent-proxy-covers-imds clock-skew role-missing role-not-assumable credentials-expired proxy-unreachable proxy-refuses dns-unreachable dns-failing dns-split dns-not-found hosts-override no-route endpoint-missing endpoint-blocked endpoint-partly-blocked endpoint-refused trust-store-empty tls-intercepted tls-wrong-certificate tls-certificate-expired tls-failed agent-needs-ec2messages role-lacks-permission endpoint-policy-denies scp-denies credentials-rejected latent-failure agent-backing-off agent-not-connected agent-restart-needed endpoint-public agent-outdated agent-version-unknown agent-not-enabled agent-duplicate image-holds-credentials image-pins-network image-lacks-service could-not-tell'
            return
        fi
        _agentcheck_one "--help --format"
        ;;
    read-console)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        esac
        if [[ $cur != -* ]]; then
            _agentcheck_file
            return
        fi
        _agentcheck_one "--help --format"
        ;;
    list)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --format --config"
        ;;
    config)
        case $prev in
        --format) _agentcheck_one 'text json'; return ;;
        --config) _agentcheck_file; return ;;
        esac
        _agentcheck_one "--help --check --format --config"
        ;;
    esac
}
complete -F _agentcheck agentcheck
