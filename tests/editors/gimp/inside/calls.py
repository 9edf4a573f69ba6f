"""Claims about every procedure as scripts call it: with nothing but its subject, with all of its arguments, with wrong kinds."""

from __future__ import annotations

from acetate.plugins.gimp.commands import COMMANDS
from acetate.plugins.gimp.values import parameter_of
from editor import OUT, call, history, new_image, pattern, put
from gi.repository import Gimp, Gio

OF_GIMP = ("run-mode", "image", "drawables")
"""The arguments that GIMP gives each procedure on images."""
GIVEN = {
    "prompt": "a kite",
    "foreground-prompt": "a fox",
    "background-prompt": "snow",
    "model": "",
    "area": "custom",
    "width": 40,
    "height": 30,
    "count": 2,
    "strength": 0.5,
    "lock-alpha": True,
    "scale": 1.5,
    "seed": 5,
    "hide-original": False,
    "negative-prompt": "fog",
    "upscaler": "",
    "steps": 2,
    "guidance": 2.5,
    "method": "enlarge",
    "scheduler": "euler",
    "spacing": "karras",
    "clip-skip": 1,
    "fast": False,
    "loras": "",
    "layer-weight": 0.9,
    "stop-at": 1.0,
    "injection": "convolution",
    "enlarge-canvas": True,
    "keep-masks": False,
    "job": "",
    "convert-indexed": True,
    "time-limit": 600,
}
"""A value of each argument; most are no default."""
HEARD = ("prompt", "seed", "steps", "guidance", "scheduler", "spacing", "negative-prompt")
"""The arguments that every task hands on to the model."""
MISSING = {
    "acetate-generate-layer": "The prompt is empty",
    "acetate-generate-scene": "The prompt is empty",
    "acetate-object-on-background": "The prompt is empty",
    "acetate-background-for-layer": "The prompt is empty",
    "acetate-repaint-selection": "Select the part that may change",
    "acetate-insert-layers-from-file": "No file was chosen",
    "acetate-repeat-with-new-seed": "does not come from Acetate",
}
"""What a procedure says that cannot do anything with an image and a layer alone; the others can."""


def _names(command) -> list[str]:
    """All arguments of a procedure but GIMP's own."""
    found = [argument.name for argument in Gimp.get_pdb().lookup_procedure(command.name).get_arguments()]
    return [name for name in found if name not in OF_GIMP]


def with_nothing_but_an_image_and_its_layer_each_works_or_names_what_is_missing():
    with new_image(48, 40) as (image, paper):
        call("acetate-generate-layer", image, [paper], prompt="a kite").required()  # for the history
        wrong = {}
        for command in COMMANDS:
            result = call(command.name, image, [paper])
            said = MISSING.get(command.name)
            if not ((said in result.error) if said else result.layers):
                wrong[command.name] = result.error
            paper.set_visible(True)
        assert wrong == {}


def all_of_its_arguments_can_be_given_and_reach_the_server():
    path = OUT / "sheet.png"
    with new_image(48, 40) as (image, paper):
        put(paper, pattern(48, 40))
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(path)), None)
        made = call("acetate-generate-layer", image, [paper], prompt="a kite").required().layer
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 4, 4, 20, 20)
        given, wrong = {**GIVEN, "file": Gio.File.new_for_path(str(path))}, {}
        for command in COMMANDS:
            names = _names(command)
            subject = made if command.name == "acetate-repeat-with-new-seed" else paper
            values = {name.replace("-", "_"): given[name] for name in names}
            result = call(command.name, image, [subject], **values)
            heard = dict(history()[0].parameters) if command.task is not None else {}
            wanted = {parameter_of(name): given[name] for name in HEARD if command.task is not None}
            if not result.layers or not wanted.items() <= heard.items():
                wrong[command.name] = result.error, heard
        assert wrong == {}


def a_value_of_a_wrong_kind_is_refused():
    """Script-Fu hands on what a script says; Python's binding itself refuses it, or takes anything for a truth."""
    wrong = {"gchararray": "7", "GimpImage": '"seven"', "GimpCoreObjectArray": "7", "GFile": "7", "GimpRunMode": '"seven"'}
    seen, taken = set(), []
    with new_image(48, 40) as (image, paper):
        for command in COMMANDS:
            for argument in Gimp.get_pdb().lookup_procedure(command.name).get_arguments():
                if argument.name not in seen:
                    seen.add(argument.name)
                    value = wrong.get(argument.value_type.name, '"seven"')
                    if _by_script(command.name, image, paper, argument.name, value):
                        taken.append((argument.name, argument.value_type.name, value))
        assert taken == []
        assert image.get_layers() == [paper] and len(seen) > len(GIVEN)
        assert _by_script("acetate-generate-layer", image, paper, "seed", "7"), "one of the right kind is taken"


def _by_script(name, image, paper, argument, value) -> bool:
    """Whether Script-Fu carries out the procedure with this value."""
    subject = {"image": image.get_id(), "drawables": f"(vector {paper.get_id()})"}
    values = {"run-mode": "RUN-NONINTERACTIVE", **subject, "prompt": '"a kite"'}
    known = [one.name for one in Gimp.get_pdb().lookup_procedure(name).get_arguments()]
    named = " ".join(f"#:{one} {given}" for one, given in {**values, argument: value}.items() if one in known)
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-script-fu-eval")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("script", f"({name} {named})")
    return int(procedure.run(config).index(0)) == int(Gimp.PDBStatusType.SUCCESS)
