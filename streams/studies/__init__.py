"""What a rule set would have done: backtests, tuning, explanations, and the cases beside rules."""
