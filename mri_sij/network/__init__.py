"""The shipped network: what it is fed, and the maps that come out."""
