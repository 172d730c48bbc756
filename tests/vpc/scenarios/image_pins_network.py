"""An image whose agent is told to use the proxy of the network it was built in."""

from tests.vpc.scenario import Agent, Expect, healthy

UNITS = "/etc/systemd/system"
NAMES = ("amazon-ssm-agent", "agentcheck", "chrony", "cloud-init")
SCENARIO = healthy(
    agent=Agent(running=False),
    files={
        **{f"{UNITS}/{name}.service": "" for name in NAMES},
        **{f"{UNITS}/multi-user.target.wants/{name}.service": "" for name in NAMES},
        f"{UNITS}/amazon-ssm-agent.service.d/proxy.conf": (
            "[Service]\nEnvironment=https_proxy=http://10.9.9.9:3128\n"
        ),
    },
    run_args=("--profile", "image"),
    expect=Expect("image-pins-network", "warn", 1),
)
