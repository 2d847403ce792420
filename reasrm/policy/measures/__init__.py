"""What a trained policy became: measures from its answers alone, compared between arms."""
