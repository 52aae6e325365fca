"""Which templates a job may use."""
from similarity import identity, pair_identity


def allowed(templates, targets, options):
    """The domains and Fvs that are left: without those that the job excludes, and without those whose Fv or heavy
    domain is more identical to the target than it allows."""
    out = {pdb.lower() for pdb in options['templates_exclude']}
    most = options['template_identity_max']
    if most < 1:
        out |= {domain.pdb for domain in templates.domains if domain.chain in 'HN'
                and identity(targets[0], domain) > most}
    if most < 1 and len(targets) == 2:
        out |= {fv[0].pdb for fv in templates.fvs if pair_identity(targets, fv) > most}
    return ([domain for domain in templates.domains if domain.pdb not in out],
            [fv for fv in templates.fvs if fv[0].pdb not in out])
