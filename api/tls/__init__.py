"""HTTPS of our own: a local authority, the certificate in force, and how phones come to trust it.

``names``      what this machine is called, and its addresses
``making``     an authority, and certificates by it
``authority``  the same as files, which are there, made, or renewed
``reading``    from when until when a certificate is good, its fingerprint (pure)
``in_force``   which files are served with, and the change to newer ones while serving
``door``       what the plain port still answers where there is HTTPS
``trust``      the page on which a phone learns how to trust the authority
"""
