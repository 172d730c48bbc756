# Packer: agentcheck in the image, and the image checked for what would lock its instances out.
# Put this beside the template that has the source, and name that source in `sources`.

variable "agentcheck_package" {
  type        = string
  description = "Path of agentcheck's .deb or .rpm on the machine that runs Packer."
}

variable "agentcheck_sha256" {
  type        = string
  description = "Its SHA-256, as sha256sum prints it."
}

variable "agentcheck_install" {
  type        = string
  default     = "packaging/install/install.sh"
  description = "Path of agentcheck's install.sh on the machine that runs Packer."
}

locals {
  agentcheck_suffix = regex_replace(var.agentcheck_package, "^.*[.]", "")
}

build {
  sources = ["source.amazon-ebs.image"]

  # Other provisioners come here: agentcheck looks at what they leave behind.

  provisioner "file" {
    source      = var.agentcheck_package
    destination = "/tmp/agentcheck.${local.agentcheck_suffix}"
  }

  provisioner "file" {
    source      = var.agentcheck_install
    destination = "/tmp/agentcheck-install.sh"
  }

  provisioner "shell" {
    inline = [
      "sudo sh /tmp/agentcheck-install.sh /tmp/agentcheck.${local.agentcheck_suffix} ${var.agentcheck_sha256}",
      "rm -f /tmp/agentcheck-install.sh /tmp/agentcheck.${local.agentcheck_suffix}",
      "sudo systemctl enable agentcheck.service",
    ]
  }

  # Last: a failure (2) or what cannot be told (3) ends the build; a warning is only printed.
  provisioner "shell" {
    inline = ["sudo agentcheck run --profile image --fail-on fail"]
  }
}
