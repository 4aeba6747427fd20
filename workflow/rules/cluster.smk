# What a job asks a cluster for, and a cluster's messages in the study's words. On one machine nothing is reserved.
import math

GENEROUS = 6  # times the forecast of a training, which knows no machine's speed and not what a method adds


def scaled(amount):
    """This much at the first attempt, twice as much at the second, and so on."""
    return lambda wildcards, attempt: amount * attempt


def training_minutes(wildcards, attempt):
    """The time limit of trainings: generous, and never so short that their start would not fit."""
    return attempt * max(10, math.ceil(GENEROUS * forecast(wildcards) / 60))


def summary_mb(wildcards, input, attempt):
    """What a job needs that reads whole tables; in memory they are several times as large as on disk."""
    return attempt * (3000 + 10 * math.ceil(input.size_mb))


# Of a job that compares, decides, or draws.
SUMMARY = {"mem_mb": summary_mb, "runtime": scaled(30)}


def at_once(trainings):
    """How many trainings can run at once: on the cores of this machine, or as jobs of a cluster."""
    places = workflow.resource_settings.nodes or workflow.cores or 1
    return max(1, min(places, trainings))
