"""The commands of `churn`: options, exit codes and output of each; the work is done elsewhere."""
