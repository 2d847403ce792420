"""A judge behind HTTP, as the reward of a policy that is trained elsewhere (`reasrm serve-judge`)."""
