# Stands in for setuptools while scripts/fetch-programs downloads; see build_meta.py.
