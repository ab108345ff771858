"""What is measured, not asserted: run by hand, the figures with machine and date."""
