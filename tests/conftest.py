"""Makes the modules beside this file (made-up visits and the like) importable from every test."""
