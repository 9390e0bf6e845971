"""Run the shipped network."""
PIXEL_MM = 1.2
