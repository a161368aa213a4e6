"""Count the pixels of each of CamVid's codes in the official training frames.

`python scripts/camvid_codes.py PATH_TO_CAMVID` writes a record, which the street experiment notebook uses."""
from pathlib import Path

from fastcore.script import call_parse

from mobiledepth.data.camvid import camvid, camvid_names
from mobiledepth.data.codes import camvid32
from mobiledepth.data.images import camvid_label, code_frequencies, image_files
from mobiledepth.runs.records import git_commit, versions, write_record

repo = Path(__file__).resolve().parent.parent

@call_parse
def main(
    path:str,     # Folder in CamVid's layout
    out:str=None, # File of the record; default: results/camvid-codes.json
):
    "Count the codes of the training frames, and write a record."
    train = set(camvid_names('train'))
    images = [f for f in image_files(Path(path)/'images') if f.stem in train]
    codes = code_frequencies(map(camvid_label, images), camvid32)
    facts = dict(data_fingerprint=camvid.fingerprint(path), commits=[git_commit(repo)], versions=versions())
    record = dict(experiment='camvid-codes', kind='check', n=len(images), codes=codes, **facts)
    write_record(Path(out or repo/'results'/'camvid-codes.json'), record)
