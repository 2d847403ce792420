"""The stages of one round of `reasrm improve`; without a round none of them runs."""
