"""A policy with the judge as its reward: rewards from pairwise verdicts, and measures of what the policy does."""
