"""Hard cases of a judge: pairs of a policy's answers that it is unsure or wrong about, relabelled by an oracle."""
