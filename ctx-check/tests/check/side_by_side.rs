//! The ten faulty files that docs/ctx-check.md compares tools on. Each has healthy requests and one with a fault.
//!
//! `CTX_FAULTY=folder cargo test -p ctx-check --test check side_by_side` writes them, for other tools.

use std::{fs, path::PathBuf};

use crate::{
    planted::{Fault, SETTINGS, finding, request},
    scenario::{Scenario, found, judge},
};

const FILES: [(&str, Fault); 10] = [
    ("header-stripped", Fault::HeaderStripped),
    ("link-instead-of-parent", Fault::LinkInsteadOfParent),
    ("hop-between", Fault::HopBetween),
    ("server-span-lost", Fault::ServerSpanLost),
    ("inner-span-lost", Fault::InnerSpanLost),
    ("second-root", Fault::SecondRoot),
    ("tenant-changed", Fault::TenantChanged),
    ("tenant-lost", Fault::TenantLost),
    ("message-without-context", Fault::MessageContextLost),
    ("repeated-id", Fault::RepeatedId),
];

#[test]
fn each_of_the_ten_faulty_files_gives_its_finding() {
    let folder = std::env::var_os("CTX_FAULTY").map(PathBuf::from);
    if let Some(folder) = &folder {
        fs::create_dir_all(folder).expect("it can be created");
    }
    for (name, fault) in FILES {
        let mut system = Scenario::default();
        (0..3).for_each(|_| request(&mut system, "acme", false, None));
        request(&mut system, "acme", false, Some(fault));
        let lines = system.lines().join("\n");
        if let Some(folder) = &folder {
            fs::write(folder.join(format!("{name}.jsonl")), &lines).expect("it can be written");
        }
        assert_eq!(found(&judge(lines, SETTINGS)), [finding(fault)], "{name}");
    }
}
