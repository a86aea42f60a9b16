"""The build backend that pip is given by scripts/fetch-programs.

pip asks the backend of every source distribution for its metadata, even when it only downloads. The real backends run
code of the distribution for that, and some compile half of it. All that pip needs is the name and the version, and
both are in PKG-INFO.
"""

import os


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Writes the least METADATA that pip accepts; the name of its folder. The current folder is the distribution."""
    fields = {}
    with open("PKG-INFO", encoding="utf-8") as file:
        for line in file:
            if line == "\n":
                break
            name, _, value = line.rstrip("\n").partition(": ")
            fields.setdefault(name, value)
    folder = f"{fields['Name']}-{fields['Version']}.dist-info"
    os.makedirs(os.path.join(metadata_directory, folder))
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as file:
        file.write(f"Metadata-Version: 2.1\nName: {fields['Name']}\nVersion: {fields['Version']}\n")
    return folder


class _Legacy:
    """What pip uses for distributions that name no backend."""

    get_requires_for_build_wheel = staticmethod(get_requires_for_build_wheel)
    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)


__legacy__ = _Legacy()
