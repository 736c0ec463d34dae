"""Rules: YAML conditions over features and signals, tiers, deadlines and texts; ends in early warnings."""
