"""What all flows share: one run with its lease and event, who takes part, and how runs end."""
