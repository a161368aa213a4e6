"""Draw the two images at the top of the README: `python scripts/readme_images.py --camvid FOLDER --nyu FOLDER`.

Each shows two test images, the first and the middle one of the test set, with ground truth and prediction."""
from pathlib import Path

import matplotlib.pyplot as plt
from fastcore.script import call_parse

from mobiledepth.checkpoints import load_pretrained
from mobiledepth.data.dataset import get_data
from mobiledepth.runs.train import plot_predictions
from mobiledepth.tasks import classes_of

images = Path(__file__).resolve().parent.parent/'nbs'/'images'

def draw(model, path, file, **meta):
    "Save two test images of a model's data set with its predictions; `meta` changes how they are drawn."
    net = load_pretrained(model)
    net.meta.update(meta)
    data = get_data(net.meta['data'])
    dl = data.test_dl(data.find(path), task=net.meta['task'], size=tuple(net.meta['size']), classes=classes_of(net),
                      num_workers=0)
    fig = plot_predictions({'prediction': net}, dl, n=2)
    fig.savefig(images/file, dpi=80)
    plt.close(fig)
    print(images/file)

@call_parse
def main(
    camvid:str=None, # Folder of CamVid; else as for `mobiledepth train`
    nyu:str=None,    # Folder of NYU Depth V2; else as for `mobiledepth train`
    street_model:str='camvid-distilled', # Packaged model
    room_model:str='nyu-distilled',      # Packaged model
):
    "Draw the two images at the top of the README."
    draw(street_model, camvid, 'readme_street.png')
    draw(room_model, nyu, 'readme_room.png', depth_range=[.7, 5.]) # metres, less than the network's range, for contrast
