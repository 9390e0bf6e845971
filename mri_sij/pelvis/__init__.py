"""The shape of pelvic bones: a statistical model of 40 people, and its fit to what a scan shows."""
