"""How the Builder demos are made: ``python -m demos.builder._make`` in a checkout writes them anew.

They are experiments of the Builder like any other, to be opened and changed there; made by code they all keep the same
settings and follow our components when those change.
"""
