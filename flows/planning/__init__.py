"""What would run and why, whether it fits the machine, whether the machine is ready: `reasrm plan`, `reasrm doctor`."""
