"""What the Krita and GIMP plug-ins share: standard library only, Python 3.10."""
