use harness::*;
use rusm_otp::Runtime;
pub fn run(_config: &Config, _runtime: Runtime) -> Vec<Metric> { unimplemented!() }
