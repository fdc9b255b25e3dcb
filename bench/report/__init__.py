"""What a person sees of a run: its progress on the terminal, and `report.html`, a pure function of its bundle."""
