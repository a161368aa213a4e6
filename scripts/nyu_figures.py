"""Trained depth networks on NYU's 654 test frames: images for `nbs/experiments/nyu.ipynb`, errors by class, errors on
train.

`python scripts/nyu_figures.py --path NYU` takes the networks of seed 0 by name, packaged or from a folder of runs, and
writes images to `nbs/images` and `results/nyu-by-class.json`. The classes are the 40 of Gupta et al. (2013) in
`labels40/NNNN.png`, 0 to 39; the last class holds what has no label too."""
from pathlib import Path

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import torch
from fastai.vision.all import Image, progress_bar
from fastcore.script import call_parse
from torch.nn import functional as F

from mobiledepth.core import atomic_path
from mobiledepth.data.nyu import nyu_border, nyu_box, nyu_test_dl
from mobiledepth.depth.maps import TensorDepth, depth_bar, valid_depth
from mobiledepth.depth.metrics import depth_report, image_errors, in_metres, table_figures
from mobiledepth.models import weights_sha256
from mobiledepth.runs.experiments import find_trained
from mobiledepth.runs.records import git_commit, write_record

repo = Path(__file__).resolve().parent.parent
classes = (
    'wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk shelves curtain dresser '
    'pillow mirror floor-mat clothes ceiling books refrigerator television paper towel shower-curtain box whiteboard '
    'person night-stand toilet sink lamp bathtub bag other-structure other-furniture other-or-none').split()

def loader(net, path, **kwargs):
    "A test loader of images at the size that a network was trained at."
    return nyu_test_dl(path, size=tuple(net.meta['size']), num_workers=0, device='cpu', **kwargs)

def look(nets, path):
    "For each test frame: its file, image, ground truth, and the metres that each network predicts, at its size."
    dls = [loader(net, path, bs=1) for net in nets.values()]
    for f,*batches in zip(progress_bar(dls[0].items), *dls):
        (image,truth),*_ = batches
        with torch.inference_mode():
            preds = {k: in_metres(net(x), y)[0] for (k,net),(x,y) in zip(nets.items(), batches)}
        yield f, image[0], truth, preds

def labels_of(f, size):
    "The classes of a frame's pixels, inside the white border."
    im = Image.open(f.parent.parent/'labels40'/f'{f.stem}.png')
    return torch.from_numpy(np.array(im.crop(nyu_box(nyu_border, im.size)))).long().view(size)

def class_sums(pred, truth, label):
    "For each class: pixels, sum of relative errors, sum of squares."
    seen = valid_depth(truth)[0,0]
    diff = (pred-truth.as_subclass(torch.Tensor))[0,0][seen].double()
    metres = truth.as_subclass(torch.Tensor)[0,0][seen].double()
    rows = torch.stack([torch.ones_like(diff), diff.abs()/metres, diff**2])
    return torch.zeros(3, len(classes), dtype=torch.double).index_add_(1, label[seen], rows)

def class_errors(sums):
    "Pixels, mean relative error and RMSE of the classes that have pixels."
    found = zip(classes, sums.T.tolist())
    return {c: dict(pixels=int(n), rel=rel/n, rmse=(square/n)**.5) for c,(n,rel,square) in found if n}

def by_class(frames):
    "`class_errors` of each network."
    sums = {}
    for f,_,y,preds in frames:
        label = labels_of(f, y.shape[-2:])
        for k,p in preds.items(): sums[k] = sums.get(k, 0) + class_sums(p, y, label)
    return {k: class_errors(s) for k,s in sums.items()}

def on_train(nets, path):
    "Figures of each network on the frames that it has learned from, as full images."
    reports = {k: depth_report(net, loader(net, path, split='train')) for k,net in nets.items()}
    return {k: {f: r[f] for f in table_figures} for k,r in reports.items()}

def save(fig, name):
    with atomic_path(repo/'nbs/images'/name) as tmp: fig.savefig(tmp, dpi=75, bbox_inches='tight')
    plt.close(fig)

def plot_scatter(frames, names):
    "Predicted against true metres, pixels counted, for each network."
    def some(pairs): return torch.cat([o[valid_depth(y)][::7] for o,y in pairs]) # every seventh pixel
    true = some([(y.as_subclass(torch.Tensor), y) for _,_,y,_ in frames])
    fig,axs = plt.subplots(1, len(names), figsize=(3.6*len(names),3.4), sharey=True, squeeze=False,
                           layout='constrained')
    for ax,name in zip(axs[0], names):
        pred = some([(p[name], y) for _,_,y,p in frames])
        ax.hist2d(true.numpy(), pred.numpy(), bins=100, range=[[.5,9.5]]*2, norm='log', cmap='viridis')
        ax.plot([.5,9.5], [.5,9.5], color='red', lw=.8)
        ax.set(xlabel='true metres', title=name)
    axs[0,0].set_ylabel('predicted metres')
    save(fig, 'nyu_scatter.png')

def plot_extremes(frames, names, n=3):
    "The best and the worst frames of the last network, beside the ground truth and the other networks."
    rel = [image_errors(o[3][names[-1]].log(), o[2])['rel'].item() for o in frames]
    order = np.argsort(rel)
    rows = [*order[:n], *order[-n:]]
    n_columns = 2+len(names)
    fig,axs = plt.subplots(len(rows), n_columns, figsize=(2.5*n_columns, 1.9*len(rows)), layout='constrained')
    for row,i in zip(axs, rows):
        f,x,y,preds = frames[i]
        row[0].imshow(F.interpolate(x[None], y.shape[-2:])[0].permute(1,2,0).numpy())
        row[0].axis('off')
        lo,hi = np.quantile(y[valid_depth(y)].numpy(), (.01,.99))
        maps = [y[0], *(preds[k][0] for k in names)]
        for ax,m in zip(row[1:], maps): TensorDepth(m).show(ctx=ax, vmin=lo, vmax=hi)
        row[-1].set_title(f'REL {rel[i]:.2f}', fontsize=9)
        depth_bar(row[1:])
    for ax,t in zip(axs[0], ('image', 'ground truth', *names[:-1])): ax.set_title(t, fontsize=9)
    axs[0,-1].set_title(f'{names[-1]}, REL {rel[rows[0]]:.2f}', fontsize=9)
    save(fig, 'nyu_extremes.png')

@call_parse
def main(
    path:str=None,      # Folder of NYU; else $MOBILEDEPTH_DATA/nyuv2
    names:str='nyu-teacher,nyu-distilled,nyu-student', # Networks, with commas between
    runs:str='runs',    # Folder of runs that holds those not among the committed weights
    results:str='results', # Folder for the record
):
    "Draw and count."
    torch.set_num_threads(1)
    names = names.split(',')
    nets = {k: find_trained(k, runs) for k in names}
    frames = list(look(nets, path))
    record = dict(experiment='nyu-by-class', kind='figure', commits=[git_commit(repo)], n_test=len(frames),
                  weights_sha256={k: weights_sha256(v) for k,v in nets.items()}, classes=by_class(frames),
                  on_train=on_train(nets, path))
    write_record(Path(results)/'nyu-by-class.json', record)
    plot_scatter(frames, names)
    plot_extremes(frames, names)
