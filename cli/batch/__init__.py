"""``weighbridge batch``: whole catalogues."""
