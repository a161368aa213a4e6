"""Measure images per second of `camvid_dls` and of fastai's `SegmentationDataLoaders`, for frames of 960x720.

`python scripts/bench_loaders.py --path CAMVID` resizes some frames of a folder in CamVid's layout to PNGs of 960x720 in
a temporary folder. Then, in one process, each repeat reads all frames once with each loader and number of workers,
interleaved. Both use training augmentation at 128x160: a random crop with the same range of area and aspect ratio,
flip, brightness, contrast, saturation and hue. Our loader is measured with an empty cache (the first epoch), with a
filled cache, and without a cache; fastai's loader also without colour transforms, which are slow on a CPU. Only the
loader runs, so the results are upper bounds for training."""
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
    "Write `n` frames of the official train split and one of val from `path` to `to`, as PNGs of size `large`."
    have = {o.stem:o for o in get_image_files(Path(path)/'images')}
    stems = [o for o in camvid_names('train') if o in have][:n] + [o for o in camvid_names('val') if o in have][:1]
    for o in ('images','labels'): (to/o).mkdir()
    for o in stems:
        PILImage.create(have[o]).resize(large[::-1], BILINEAR).save(to/'images'/f'{o}.png')
        Image.open(camvid_label(have[o])).resize(large[::-1], NEAREST).save(to/'labels'/f'{o}_P.png')
    (to/'codes.txt').write_text('\n'.join(camvid_codes))
    return to

def fastai_dl(path, bs, num_workers, color=True):
    "Return a fastai loader as in its documentation, with the range of our transforms; optionally without colour."
    train = [o for o in get_image_files(path/'images') if o.stem in set(camvid_names('train'))]
    crop = RandomResizedCrop(size, min_scale=0.3, ratio=(4/3*3/4, 4/3*4/3))
    colors = [Brightness(0.3), Contrast(0.3), Saturation(0.3), Hue(0.05)] if color else []
    dls = SegmentationDataLoaders.from_label_func(path, train, camvid_label, codes=camvid_codes, valid_pct=0., bs=bs,
                                                  num_workers=num_workers, item_tfms=crop, batch_tfms=[Flip(), *colors])
    return dls.train

def our_dl(path, bs, num_workers, cache):
    "Return the training loader of `camvid_dls`."
    return camvid_dls(path, size, bs, num_workers=num_workers, cache=cache).train

def images_per_second(make):
    "Return images per second in one epoch of the loader from `make`, without the time to create it."
    set_seed(0)
    dl = make()
    start = time.perf_counter()
    n = sum(len(x) for x,_ in dl)
    return n/(time.perf_counter()-start)

def cold(path, bs, num_workers):
    "Return our loader with an empty cache."
    clear_cache('camvid')
    return our_dl(path, bs, num_workers, True)

def quartiles(values):
    "Return first quartile, median and third quartile."
    return {k:round(torch.tensor(values).quantile(q).item(), 1) for k,q in dict(q1=.25, median=.5, q3=.75).items()}

@call_parse
def main(
    path:str=None,   # Folder in CamVid's layout; default: $MOBILEDEPTH_DATA/camvid
    n:int=64,        # Number of frames
    bs:int=8,        # Batch size
    repeats:int=5,   # Measured epochs of each loader, after one warm-up epoch
    threads:int=1,   # Number of threads of PyTorch
    out:str=None,    # File of the record; default: results/bench-data.json
):
    "Measure images per second of both loaders, and write a record."
    torch.set_num_threads(threads)
    warnings.filterwarnings('ignore', message='.*not the whole of CamVid')
    work = Path(tempfile.mkdtemp())
    os.environ['MOBILEDEPTH_CACHE'] = str(work/'cache') # do not use the user's cache
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
