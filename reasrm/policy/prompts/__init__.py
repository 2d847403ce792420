"""Where the prompts come from that a policy is trained and measured on."""
