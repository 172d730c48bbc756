"""An image with the AWS keys of whoever built it."""

from tests.vpc.scenario import Agent, Expect, healthy

UNITS = "/etc/systemd/system"
NAMES = ("amazon-ssm-agent", "agentcheck", "chrony", "cloud-init")
SCENARIO = healthy(
    agent=Agent(running=False),
    files={
        **{f"{UNITS}/{name}.service": "" for name in NAMES},
        **{f"{UNITS}/multi-user.target.wants/{name}.service": "" for name in NAMES},
        "/root/.aws/credentials": f"aws_secret_access_key = {'x' * 40}\n",
    },
    run_args=("--profile", "image"),
    expect=Expect("image-holds-credentials", "fail", 2),
)
