"""Figures about the probes: tables of measures, the trust card, and the questions that they answer."""
