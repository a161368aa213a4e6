"The names for notebooks: `from mobiledepth.all import *`. None of them is a name of fastai's. Written by hand."
from .callbacks import AuxiliaryHead, AveragedWeights, FullImages
from .checkpoints import load_pretrained, load_unet, pretrained_models, save_unet
from .data.camvid import camvid_dls, camvid_test_dl
from .data.codes import camvid11, camvid32
from .data.dataset import DataSet, check_data, describe_data, get_data, register_dataset
from .data.folder import depth_dls, depth_test_dl
from .data.nyu import nyu_dls, nyu_test_dl
from .data.street import street_dls, street_test_dl
from .data.transforms import CropResize, camvid_tfms
from .deploy.export import export_model
from .deploy.predictor import Predictor
from .depth.distill import DepthDistillation
from .depth.losses import DepthLoss, GradientMatchingLoss, RobustLoss, SILogLoss, VirtualNormalLoss
from .depth.maps import DepthBlock, TensorDepth, depth_tfms
from .depth.metrics import AbsRel, DeltaAccuracy, DepthRMSE, Log10Error, SIRMSE, depth_report
from .distill import FeatureMimicry, KnowledgeDistillation, PairwiseAffinity
from .learner import map_learner, mobile_unet_learner
from .models import Unet
from .resume import ResumeTraining
from .runs.config import RunSettings, change_settings, get_settings
from .runs.experiments import run_experiment, run_settings
from .runs.history import macs, plot_curves
from .runs.predict import predict_files
from .runs.records import load_records, paired_difference, results_table
from .segmentation.classes import Classes
from .segmentation.distill import ChannelWiseDistillation, DistillationLoss
from .segmentation.losses import OhemCrossEntropy, SegmentationCrossEntropy, class_weights
from .segmentation.metrics import ClassIoU, MeanIoU, PixelAccuracy, segmentation_report
from .tasks import Task, classes_of, register_task, task_of
