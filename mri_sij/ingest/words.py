"""Words of series descriptions and file names, in the languages that exports come in, as a few plain concepts.

A description is free text and may hold a name: only the concepts found in it ever leave this module.
"""

from __future__ import annotations

import re
import unicodedata

TOKENS: dict[str, frozenset[str]] = {
    "stir": frozenset("stir tirm turbotirm tir2d irfse irtse fseir fstir".split()),
    "fat_suppressed": frozenset(
        "fs fatsat fatsup fatsuppressed fsat spair spir sfs chess ideal t2fs t2wfs pdfs pdwfs t1fs t1wfs "
        "t2spair t2spir pdspair fettsat fettgesaettigt fettunterdrueckt grassat grassoppressione fatsuppression "
        "vetsuppressie yagbaskili supresion dixonw".split()
    ),
    "t1": frozenset("t1 t1w t1wi t1se t1tse t1fse t1w1 t1fs t1wfs".split()),
    "t2": frozenset("t2 t2w t2wi t2se t2tse t2fse t2fs t2wfs t2spair t2spir".split()),
    "pd": frozenset("pd pdw pdfs pdwfs pdspair dp protonendichte densidad".split()),
    "coronal": frozenset(
        "cor coro coronal koronar coronale coronaal koronal frontal frontale wiencowa corobl obcor paracor semicor "
        "paracoronal semicoronal parakoronal koronalna koroner".split()
    ),
    "axial": frozenset(
        "ax axi axial tra trans transv transversal transverse transversaal assiale axiaal aksiyel aksial axiale "
        "traobl axobl".split()
    ),
    "sagittal": frozenset("sag sagittal sagital sagittale sagittaal sagitalna sagitta".split()),
    "sacroiliac": frozenset(
        "si sij sijs isg ksg sacroiliac sacroiliaca sacroiliacas sacroiliaques sacroiliaque sakroiliak sakroiliakal "
        "iliosakralgelenke iliosakral sacroilicas sacroiliache sacroiliacale sacroileitis sacroiliitis sakroileit "
        "sacroiliitis sacrum sakrum kreuzbein sacro os_sacrum semicoronal".split()
    ),
    "pelvis": frozenset("pelvis pelvic becken bassin bacino bekken pelvi miednica tazovy bacia".split()),
    "other_part": frozenset(
        "brain head skull neuro hirn gehirn kopf schaedel cerveau tete crane cerebro craneo encefalo cabeza testa "
        "beyin hersenen hoofd mozg knee knie genou rodilla ginocchio diz shoulder schulter epaule hombro spalla omuz "
        "wrist hand ankle foot elbow neck cervical hws csp cspine thorax chest breast heart cardiac herz abdomen liver "
        "leber prostate prostata lspine tspine lws bws lumbar thoracic".split()
    ),
    "localizer": frozenset(
        "localizer localiser loc scout survey plan plans localizador localizzatore topogram lokalisator lokalizer "
        "3plane threeplane smartbrain pilot haste_loc uebersicht reperage topo".split()
    ),
    "contrast": frozenset(
        "gd gado gadolinium contrast postcontrast post km kmgabe ce cegd apresgad gadovist dotarem contraste contrasto "
        "kontrast kontrastli postgd postkm civ ivc".split()
    ),
    "diffusion": frozenset("dwi dti diff diffusion adc ep2d trace tracew epi".split()),
    "water": frozenset("water wasser eau agua acqua wateronly".split()),
    "other_dixon": frozenset("inphase outphase opp opposed fat fatonly inph outph oop ip op fett graisse".split()),
    "derived": frozenset("mip mpr subtraction subtr mapit t2map t1map map pjn reformat rfmt".split()),
    "mask": frozenset(
        "mask masks label labels labelmap seg dseg segmentation roi lesion lesions oedema edema bme bone reader truth "
        "marrow groundtruth probseg annotation annot contour".split()
    ),
    "baseline": frozenset("baseline bl screening pre".split()),
    "followup": frozenset("followup fu post_treatment".split()),
}
"""Whole words, lower case, without accents. One word may stand for two concepts ("t2fs")."""

PARTS: dict[str, tuple[str, ...]] = {
    "stir": ("stir", "tirm"),
    "fat_suppressed": ("fatsat", "fat_sat", "fat sat", "fat-sat", "fat sup", "sat grasse", "sat grassa", "sat gras",
                       "fettsaet", "fettunter", "подавлением жира", "жироподавлени", "压脂", "抑脂", "脂肪抑制",
                       "지방억제", "yag baski", "supresion grasa", "supressao de gordura"),
    "coronal": ("coron", "koron", "корон", "冠状", "冠狀", "관상"),
    "axial": ("transvers", "аксиал", "横断", "轴位", "軸位", "횡단"),
    "sagittal": ("sagit", "сагит", "矢状", "시상면"),
    "sacroiliac": ("sacroil", "sakroil", "iliosakr", "ileosakr", "sacro-il", "sacro il", "si joint", "si-joint",
                   "si_joint", "si gelenk", "крестцово", "кпс", "骶髂", "仙腸", "천장관절"),
    "pelvis": ("pelvis", "becken", "таз", "骨盆", "盆腔", "골반"),
    "localizer": ("localiz", "localis", "lokalis", "локализ", "定位"),
    "contrast": ("gadol", "contrast", "kontrast", "контраст", "增强", "造影"),
    "diffusion": ("diffus", "диффуз", "扩散", "弥散", "拡散"),
    "other_part": ("мозг", "голов", "头颅", "脳", "колен", "膝"),
}  # fmt: skip
"""Parts of words, long enough or foreign enough not to hide in another word."""


def concepts(*texts: str) -> frozenset[str]:
    """The concepts that the words of `texts` stand for."""
    found: set[str] = set()
    for text in texts:
        if not text:
            continue
        plain = re.sub(r"(?:^|(?<=_))(?:sub|ses)-[0-9a-z]+", "", plain_text(text))  # BIDS labels are no words
        words = set(re.split(r"[^0-9a-z]+", plain)) | set(re.findall(r"[a-z]+[0-9]?[a-z]*|[0-9]+", plain))
        found.update(concept for concept, known in TOKENS.items() if words & known)
        found.update(concept for concept, parts in PARTS.items() if any(part in plain for part in parts))
    return frozenset(found)


def plain_text(text: str) -> str:
    """Lower case without accents, of no more than 1,024 characters."""
    folded = unicodedata.normalize("NFKD", text[:1024]).casefold()
    # Cyrillic and Hangul keep their marks apart under NFKD; composed again they match the lists above.
    return unicodedata.normalize("NFC", "".join(c for c in folded if not "̀" <= c <= "ͯ" or c == "̆"))
