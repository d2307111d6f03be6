"""Finding faces: three detectors behind one call, each tried on a drawn face before it is used."""
