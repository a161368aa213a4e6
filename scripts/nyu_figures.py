"""Evaluate trained depth networks on the 654 test frames of NYU: figures for `nbs/experiments/nyu.ipynb`, errors per
class, and errors on training frames.

`python scripts/nyu_figures.py --path NYU` loads the networks of seed 0 by name, packaged or from a folder of runs, and
writes images to `nbs/images` and a record to `results/nyu-by-class.json`. The classes are the 40 of Gupta et al. (2013)
in `labels40/NNNN.png`, 0 to 39; the last class also contains the unlabelled pixels."""
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
    "Return a test loader with images at the training size of a network."
    return nyu_test_dl(path, size=tuple(net.meta['size']), num_workers=0, device='cpu', **kwargs)

def predictions(nets, path):
    "Yield file, image, ground truth and the depth from each network for each test frame, at the frame's size."
    dls = {name: loader(net, path, bs=1) for name,net in nets.items()}
    first = next(iter(dls.values()))
    for file,*batches in zip(progress_bar(first.items), *dls.values()):
        preds = {}
        for name,(x,y) in zip(nets, batches):
            with torch.inference_mode(): preds[name] = in_metres(nets[name](x), y)[0]
        image,truth = batches[0]
        yield file, image[0], truth, preds

def labels_of(file, size):
    "Return the label map of a frame, inside the white border."
    labels = Image.open(file.parent.parent/'labels40'/f'{file.stem}.png')
    inside = labels.crop(nyu_box(nyu_border, labels.size))
    return torch.from_numpy(np.array(inside)).long().view(size)

def class_sums(pred, truth, label):
    "Return pixels, sum of relative errors and sum of squared errors per class."
    seen = valid_depth(truth)[0,0]
    truth = truth.as_subclass(torch.Tensor)
    metres = truth[0,0][seen].double()
    error = (pred-truth)[0,0][seen].double()
    rows = torch.stack([torch.ones_like(error), error.abs()/metres, error**2])
    return torch.zeros(3, len(classes), dtype=torch.double).index_add_(1, label[seen], rows)

def class_errors(sums):
    "Return pixels, mean relative error and RMSE of the classes with pixels."
    res = {}
    for name,(pixels,relative,square) in zip(classes, sums.T.tolist()):
        if pixels: res[name] = dict(pixels=int(pixels), rel=relative/pixels, rmse=(square/pixels)**.5)
    return res

def by_class(frames):
    "Return `class_errors` of each network."
    sums = {}
    for file,_,truth,preds in frames:
        label = labels_of(file, truth.shape[-2:])
        for name,pred in preds.items(): sums[name] = sums.get(name, 0) + class_sums(pred, truth, label)
    return {name: class_errors(found) for name,found in sums.items()}

def on_train(nets, path):
    "Return the metrics of each network on its training frames, as full images."
    res = {}
    for name,net in nets.items():
        report = depth_report(net, loader(net, path, split='train'))
        res[name] = {figure: report[figure] for figure in table_figures}
    return res

def save(fig, name):
    "Write a figure to `nbs/images`."
    with atomic_path(repo/'nbs/images'/name) as tmp: fig.savefig(tmp, dpi=75, bbox_inches='tight')
    plt.close(fig)

def plot_scatter(frames, names):
    "Plot a histogram of predicted depth against ground truth for each network."
    def sample(depth, target): return depth[valid_depth(target)][::7] # every seventh pixel
    true = torch.cat([sample(truth.as_subclass(torch.Tensor), truth) for _,_,truth,_ in frames])
    figsize = 3.6*len(names), 3.4
    fig,axs = plt.subplots(1, len(names), figsize=figsize, sharey=True, squeeze=False, layout='constrained')
    for ax,name in zip(axs[0], names):
        pred = torch.cat([sample(preds[name], truth) for _,_,truth,preds in frames])
        ax.hist2d(true.numpy(), pred.numpy(), bins=100, range=[[.5,9.5]]*2, norm='log', cmap='viridis')
        ax.plot([.5,9.5], [.5,9.5], color='red', lw=.8)
        ax.set(xlabel='ground truth, m', title=name)
    axs[0,0].set_ylabel('prediction, m')
    save(fig, 'nyu_scatter.png')

def draw_frame(axs, frame, names):
    "Show image, ground truth and predictions of one frame in a row of axes, with one colour range."
    _,image,truth,preds = frame
    axs[0].imshow(F.interpolate(image[None], truth.shape[-2:])[0].permute(1,2,0).numpy())
    axs[0].axis('off')
    lo,hi = np.quantile(truth[valid_depth(truth)].numpy(), (.01,.99))
    maps = [truth[0], *(preds[name][0] for name in names)]
    for ax,depth in zip(axs[1:], maps): TensorDepth(depth).show(ctx=ax, vmin=lo, vmax=hi)
    depth_bar(axs[1:])

def plot_extremes(frames, names, n=3):
    "Plot the best and worst frames of the last network, with ground truth and the other networks."
    last = names[-1]
    rel = [image_errors(preds[last].log(), truth)['rel'].item() for _,_,truth,preds in frames]
    order = np.argsort(rel)
    chosen = [*order[:n], *order[-n:]]
    n_columns = 2+len(names)
    figsize = 2.5*n_columns, 1.9*len(chosen)
    fig,axs = plt.subplots(len(chosen), n_columns, figsize=figsize, layout='constrained')
    for row,i in zip(axs, chosen):
        draw_frame(row, frames[i], names)
        row[-1].set_title(f'REL {rel[i]:.2f}', fontsize=9)
    titles = 'image', 'ground truth', *names[:-1]
    for ax,title in zip(axs[0], titles): ax.set_title(title, fontsize=9)
    axs[0,-1].set_title(f'{last}, REL {rel[chosen[0]]:.2f}', fontsize=9)
    save(fig, 'nyu_extremes.png')

@call_parse
def main(
    path:str=None,      # Folder of NYU; default: $MOBILEDEPTH_DATA/nyuv2
    names:str='nyu-teacher,nyu-distilled,nyu-student', # Names of networks, separated by commas
    runs:str='runs',    # Folder of runs with the networks that are not packaged
    results:str='results', # Folder for the record
):
    "Write figures and errors per class of trained depth networks."
    torch.set_num_threads(1)
    names = names.split(',')
    nets = {name: find_trained(name, runs) for name in names}
    frames = list(predictions(nets, path))
    weights = {name: weights_sha256(net) for name,net in nets.items()}
    record = dict(experiment='nyu-by-class', kind='figure', commits=[git_commit(repo)], n_test=len(frames),
                  weights_sha256=weights, classes=by_class(frames), on_train=on_train(nets, path))
    write_record(Path(results)/'nyu-by-class.json', record)
    plot_scatter(frames, names)
    plot_extremes(frames, names)
