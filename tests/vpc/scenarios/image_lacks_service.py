"""An image without a service that sets the clock."""

from tests.vpc.scenario import Agent, Expect, healthy

UNITS = "/etc/systemd/system"
NAMES = ("amazon-ssm-agent", "agentcheck", "cloud-init")
SCENARIO = healthy(
    agent=Agent(running=False),
    files={
        **{f"{UNITS}/{name}.service": "" for name in NAMES},
        **{f"{UNITS}/multi-user.target.wants/{name}.service": "" for name in NAMES},
    },
    run_args=("--profile", "image"),
    expect=Expect("image-lacks-service", "warn", 1),
)
