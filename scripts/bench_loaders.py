"""How fast frames of 960x720 become batches: images a second of `camvid_dls` and of fastai's `SegmentationDataLoaders`.

`python scripts/bench_loaders.py --path CAMVID` enlarges some frames of a folder in CamVid's layout to PNGs of 960x720, in
a temporary folder. Then, in one process and interleaved, every repeat reads them all once with each loader and number
of workers. Both train: a random crop of the same range of areas and shapes, mirroring, brightness, contrast, saturation
and hue, 128x160. Ours is timed with an empty cache (the first epoch), with a filled one, and without one; fastai's also
without its transforms of colour, which are slow on a CPU. Only the loader runs, so these are images that a network
could be given."""
import json, os, shutil, tempfile, time, warnings
from functools import partial
from pathlib import Path

import torch
from fastai.vision.all import (BILINEAR, NEAREST, Brightness, Contrast, Flip, Hue, Image, PILImage, RandomResizedCrop,
                               Saturation, SegmentationDataLoaders, get_image_files, set_seed)
from fastcore.script import call_parse

from mobiledepth.core import data_dir
from mobiledepth.data.cache import cache_size, clear_cache
from mobiledepth.data.camvid import camvid_dls, camvid_names
from mobiledepth.data.codes import camvid_codes
from mobiledepth.data.images import camvid_label
from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import git_commit, versions, write_record

repo = Path(__file__).resolve().parent.parent
large,size = (720,960),(128,160)

def enlarge(path, to, n):
    "Write `n` frames of official train, and one of val, from `path` to `to`, as PNGs of `large`."
    have = {o.stem:o for o in get_image_files(Path(path)/'images')}
    stems = [o for o in camvid_names('train') if o in have][:n] + [o for o in camvid_names('val') if o in have][:1]
    for o in ('images','labels'): (to/o).mkdir()
    for o in stems:
        PILImage.create(have[o]).resize(large[::-1], BILINEAR).save(to/'images'/f'{o}.png')
        Image.open(camvid_label(have[o])).resize(large[::-1], NEAREST).save(to/'labels'/f'{o}_P.png')
    (to/'codes.txt').write_text('\n'.join(camvid_codes))
    return to

def fastai_dl(path, bs, num_workers, color=True):
    "The loader that fastai's documentation leads to, with the range of our transforms; or without those of colour."
    train = [o for o in get_image_files(path/'images') if o.stem in set(camvid_names('train'))]
    crop = RandomResizedCrop(size, min_scale=0.3, ratio=(4/3*3/4, 4/3*4/3))
    colors = [Brightness(0.3), Contrast(0.3), Saturation(0.3), Hue(0.05)] if color else []
    dls = SegmentationDataLoaders.from_label_func(path, train, camvid_label, codes=camvid_codes, valid_pct=0., bs=bs,
                                                  num_workers=num_workers, item_tfms=crop, batch_tfms=[Flip(), *colors])
    return dls.train

def our_dl(path, bs, num_workers, cache):
    "The training loader of `camvid_dls`."
    return camvid_dls(path, size, bs, num_workers=num_workers, cache=cache).train

def images_per_second(make):
    "Images per second in one epoch of the loader from `make`; making it is not timed."
    set_seed(0)
    dl = make()
    start = time.perf_counter()
    n = sum(len(x) for x,_ in dl)
    return n/(time.perf_counter()-start)

def cold(path, bs, num_workers):
    "Ours with an empty cache."
    clear_cache('camvid')
    return our_dl(path, bs, num_workers, True)

def quartiles(values):
    "First quartile, median and third quartile."
    return {k:round(torch.tensor(values).quantile(q).item(), 1) for k,q in dict(q1=.25, median=.5, q3=.75).items()}

@call_parse
def main(
    path:str=None,   # Folder in CamVid's layout; else $MOBILEDEPTH_DATA/camvid
    n:int=64,        # Frames
    bs:int=8,        # Images a batch
    repeats:int=5,   # Epochs of each loader; one more comes first, untimed
    threads:int=1,   # Threads of PyTorch
    out:str=None,    # File of the record; without it results/bench-data.json
):
    "Measure images a second of both loaders, and write a record."
    torch.set_num_threads(threads)
    warnings.filterwarnings('ignore', message='.*not the whole of CamVid')
    work = Path(tempfile.mkdtemp())
    os.environ['MOBILEDEPTH_CACHE'] = str(work/'cache') # the user's own is not touched
    try:
        frames = enlarge(data_dir('camvid', path), work, n)
        loaders = dict(fastai=fastai_dl, colourless=partial(fastai_dl, color=False), first=cold,
                       cached=partial(our_dl, cache=True), uncached=partial(our_dl, cache=False))
        runs = {f'{k}, {n} workers': partial(make, frames, bs, n) for n in (0,1) for k,make in loaders.items()}
        speed = [{k: images_per_second(make) for k,make in runs.items()} for _ in range(repeats+1)][1:]
        kept = cache_size('camvid')
    finally: shutil.rmtree(work)
    speed = {k: [o[k] for o in speed] for k in runs}
    ours = [k for k in speed if not k.startswith('fastai')]
    ratios = {k: [a/b for a,b in zip(speed[k], speed[f'fastai,{k.split(",")[1]}'])] for k in ours}
    settings = dict(large=large, size=size, n=n, bs=bs, repeats=repeats, threads=threads)
    record = dict(experiment='bench-data', kind='bench', settings=settings, commits=[git_commit(repo)],
                  versions=versions(), devices=[device_name()],
                  pictures_a_second={k: quartiles(v) for k,v in speed.items()},
                  over_fastai={k:quartiles(v) for k,v in ratios.items()}, cache_bytes=kept)
    write_record(Path(out or repo/'results'/'bench-data.json'), record)
    print(json.dumps({k:record[k] for k in ('pictures_a_second', 'over_fastai', 'cache_bytes')}, indent=1))
