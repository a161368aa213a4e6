"""How often each of CamVid's codes occurs in its official train frames: `python scripts/camvid_codes.py PATH_TO_CAMVID [--out FILE]`
writes a record, which the story of the streets sets beside them."""
from pathlib import Path

from fastcore.script import call_parse

from mobiledepth.data.camvid import camvid_fingerprint, camvid_names
from mobiledepth.data.codes import camvid32
from mobiledepth.data.images import camvid_label, code_frequencies
from mobiledepth.records import git_commit, versions, write_record

repo = Path(__file__).resolve().parent.parent

@call_parse
def main(
    path:str,     # Folder in CamVid's layout
    out:str=None, # File of the record; without it results/camvid-codes.json
):
    "Count the codes of the train frames, and write a record."
    names = camvid_names('train')
    labels = [camvid_label(Path(path)/'images'/f'{o}.png') for o in names] # of the image only the name counts
    codes = code_frequencies(labels, camvid32)
    facts = dict(data_fingerprint=camvid_fingerprint(path), commit=git_commit(repo), versions=versions())
    record = dict(experiment='camvid-codes', kind='check', n=len(names), codes=codes, **facts)
    write_record(Path(out or repo/'results'/'camvid-codes.json'), record)
