"""Reasoning reward models: judges that reason before they decide, trained, evaluated and attacked."""
