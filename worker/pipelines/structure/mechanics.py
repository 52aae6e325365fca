"""How energies are minimised: by OpenMM, with what OpenStructure makes of CHARMM27."""
from molecule import EngineError
from ost.mol import mm

HOLD = 1000.0  # kJ/mol/nm²: how firmly backbone atoms are held to their places
CUTOFF = 8.0  # A, of what is not bonded


def settings(force_field):
    """The same sums each time: one thread, nothing random."""
    chosen = mm.Settings()
    chosen.integrator = mm.LangevinIntegrator(310, 1, 0.002)  # has to be there; nothing is integrated
    chosen.init_temperature = 0
    chosen.nonbonded_method = mm.NonbondedMethod.CutoffNonPeriodic
    chosen.nonbonded_cutoff = CUTOFF
    chosen.keep_ff_specific_naming = False
    chosen.forcefield = force_field
    chosen.platform = mm.Platform.CPU
    chosen.cpu_properties['CpuThreads'] = '1'  # more, and the sums come in another order each time
    if not mm.Simulation.IsPlatformAvailable(chosen):
        raise EngineError('OpenMM has no CPU platform: scripts/install-deps --structure installs it')
    return chosen
