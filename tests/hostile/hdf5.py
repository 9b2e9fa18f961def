"""HDF5 bytes that lead out of the file, or declare more than it holds; as `.h5` and as the weights of `.keras`."""

from __future__ import annotations

import h5py
import numpy as np

from hostile.files import BREAKS, FILLS, READS, Hostile
from hostile.makers import DENSE, h5_file, keras_file, sequential, weights

OTHER = "/etc/passwd"


def _deep_link(root):
    root["a/b/c/d/e"] = h5py.ExternalLink(OTHER, "/")


def _soft_loop(root):
    root["a"], root["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")


def _soft_to_external(root):
    root["hidden/x"] = h5py.ExternalLink(OTHER, "/x")
    root["layers/head/vars/1"] = h5py.SoftLink("/hidden/x")


def _external(root):
    root.create_dataset("layers/head/vars/1", (8,), np.uint8, external=[(OTHER, 0, 8)])


def _external_in_parts(root):
    root.create_dataset("w", (16,), np.uint8, external=[("nothing.bin", 0, 8), (OTHER, 0, 8)])


def _virtual_of_itself(root):
    layout = h5py.VirtualLayout((6,), np.float32)
    layout[:] = h5py.VirtualSource(".", "layers/head/vars/0", (6,))
    root.create_virtual_dataset("w", layout)


def _committed_type(root):
    root["kind"] = np.dtype([("a", "f4")])


def _compound(root):
    root["w"] = np.zeros(4, [("a", "f4"), ("b", "i4")])


def _ragged(root):
    data = root.create_dataset("w", (2,), h5py.vlen_dtype(np.float32))
    data[0] = np.zeros(3, np.float32)


def _opaque(root):
    root["w"] = np.array([b"\x80\x04N."], "V4")


def _region(root):
    root.attrs.create("region", root["layers/head/vars/0"].regionref[0:1], dtype=h5py.regionref_dtype)


def _filter_of_a_library(root):
    # 32015 is looked for as a library in the folders of HDF5_PLUGIN_PATH, and loaded.
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((16,))
    made.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    h5py.h5d.create(root.id, b"w", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((1024,)), made)


def _shuffled(root):
    root.create_dataset("w", data=np.zeros(1000), shuffle=True, compression="lzf")


def _checksummed(root):
    root.create_dataset("w", data=np.zeros(1000), fletcher32=True)


def _never_written(root):
    root.create_dataset("w", (1 << 44,), np.float32)


def _many_axes(root):
    root.create_dataset("w", (1 << 8,) * 7, np.float32, chunks=(1,) * 6 + (256,))


def _many_of_them(root):
    for number in range(100):
        root.create_dataset(f"w{number}", (1 << 30,), np.uint8, chunks=(1 << 10,))


FILLED = {
    "external_link_at_depth": (_deep_link, "ExternalLink", READS),
    "soft_links_in_a_ring": (_soft_loop, "SoftLink", BREAKS),
    "soft_link_to_an_external_one": (_soft_to_external, "ExternalLink", READS),
    "external_storage": (_external, "another file, /etc/passwd", READS),
    "external_storage_in_parts": (_external_in_parts, "another file", READS),
    "virtual_array_of_itself": (_virtual_of_itself, "put together", BREAKS),
    "committed_type": (_committed_type, "neither a group nor an array", BREAKS),
    "compound_array": (_compound, "not numbers", BREAKS),
    "ragged_array": (_ragged, "not numbers", BREAKS),
    "opaque_array": (_opaque, "not numbers", BREAKS),
    "reference_to_a_region": (_region, "references", BREAKS),
    "filter_of_a_library": (_filter_of_a_library, "through a filter", BREAKS),
    "filter_of_lzf": (_shuffled, "through a filter", FILLS),
    "filter_of_checksums": (_checksummed, "through a filter", BREAKS),
    "bomb_never_written": (_never_written, "declares arrays of 70,368,744", FILLS),
    "bomb_of_many_axes": (_many_axes, "declares arrays of", FILLS),
    "bomb_of_many_arrays": (_many_of_them, "declares arrays of", FILLS),
}


def _filled():
    for number, (name, (fill, said, does)) in enumerate(FILLED.items()):
        good = sequential(DENSE)
        content, ending = (
            (h5_file(good, fill), ".h5") if number % 2 else (keras_file(good, hdf5=weights(fill)), ".keras")
        )
        yield Hostile(name=name, ending=ending, content=content, said=said, does=does)


def _broken():
    whole = h5_file(sequential(DENSE))
    for name, content in {
        "empty": b"",
        "signature_alone": whole[:8],
        "first_half": whole[: len(whole) // 2],
        "last_byte_missing": whole[:-1],
        "superblock_of_the_future": whole[:8] + b"\x09" + whole[9:],
        "pickle": b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        "zip": keras_file(sequential(DENSE)),
    }.items():
        yield Hostile(name=f"hdf5_{name}", ending=".h5", content=content, said="not a readable HDF5 file", does=BREAKS)


FILES = (*_filled(), *_broken())
