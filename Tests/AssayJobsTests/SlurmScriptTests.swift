import AssayBase
import Testing

@testable import AssayJobs

@Suite struct SlurmScriptTests {
  @Test func theScriptAsksForWhatThePlanSays() {
    var settings = SweepPlan.Slurm()
    settings.partition = "lab"
    settings.atOnce = 2
    settings.options = ["--nice=5"]
    let script = SlurmScript(
      name: "my sweep",
      jobs: 12,
      resources: "edgetpu:1,powermeter:1",
      processors: 4,
      minutes: 15,
      output: "/logs/%A_%a.log",
      settings: settings,
      command: ["/bin/assay", "sweep", "it's.yaml"]
    )
    #expect(
      script.text == """
        #!/bin/sh
        #SBATCH --job-name=my-sweep
        #SBATCH --array=0-11%2
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --output=/logs/%A_%a.log
        #SBATCH --ntasks=1
        #SBATCH --cpus-per-task=4
        #SBATCH --time=15
        #SBATCH --gres=edgetpu:1,powermeter:1
        #SBATCH --partition=lab
        #SBATCH --nice=5
        '/bin/assay' 'sweep' 'it'\\''s.yaml'
        status=$?
        # Status 1 says that work is left for other jobs, or that a verdict is INVALID.
        [ "$status" -eq 1 ] && exit 0
        exit "$status"

        """
    )
  }
}
