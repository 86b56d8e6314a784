//! The same operations on the simulated disk, without faults, and in a real folder: the same
//! results, the same content.
//!
//! What a sync does cannot be seen without a power loss; `disk_model.rs` looks at that.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use proptest::prelude::*;
use synod_port::files::{DiskError, DiskOk, DiskOp, FileName};
use synod_sim::choices::{FaultAt, Seeded};
use synod_sim::world::disk::{Disk, Fate};

/// A real folder behind the port.
struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    fn path(&self, name: FileName) -> PathBuf {
        self.root.path().join(name.as_str())
    }

    fn perform(&self, op: &DiskOp) -> Result<DiskOk, DiskError> {
        self.try_perform(op).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DiskError::NotFound,
            ErrorKind::AlreadyExists => DiskError::Exists,
            _ => panic!("the folder fails: {error}"),
        })
    }

    fn try_perform(&self, op: &DiskOp) -> std::io::Result<DiskOk> {
        let open = |name: FileName| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(self.path(name))
        };
        match op {
            DiskOp::List => {
                let names = fs::read_dir(self.root.path())?
                    .map(|entry| Ok(entry?.file_name().into_string().expect("ASCII")));
                let mut names: Vec<String> = names.collect::<std::io::Result<_>>()?;
                names.sort();
                return Ok(DiskOk::Names(
                    names
                        .iter()
                        .map(|text| FileName::new(text).expect("a name"))
                        .collect(),
                ));
            }
            DiskOp::Length(file) => {
                return Ok(DiskOk::Length(fs::metadata(self.path(*file))?.len()));
            }
            DiskOp::Read {
                file,
                offset,
                length,
            } => {
                let (mut file, mut bytes) = (open(*file)?, Vec::new());
                file.seek(SeekFrom::Start(*offset))?;
                file.take(u64::from(*length)).read_to_end(&mut bytes)?;
                return Ok(DiskOk::Data(bytes.into()));
            }
            DiskOp::Create(file) => drop(File::create_new(self.path(*file))?),
            DiskOp::Write { file, offset, data } => {
                let mut file = open(*file)?;
                file.seek(SeekFrom::Start(*offset))?;
                file.write_all(data)?;
            }
            DiskOp::Truncate { file, length } => open(*file)?.set_len(*length)?,
            DiskOp::Rename { from, to } => fs::rename(self.path(*from), self.path(*to))?,
            DiskOp::Remove(file) => fs::remove_file(self.path(*file))?,
            DiskOp::Sync(file) => drop(open(*file)?),
            DiskOp::SyncDir => {}
        }
        Ok(DiskOk::Done)
    }

    fn content(&self) -> Vec<(FileName, Vec<u8>)> {
        let Ok(DiskOk::Names(names)) = self.perform(&DiskOp::List) else {
            panic!("a folder can be listed")
        };
        names
            .into_iter()
            .map(|name| (name, fs::read(self.path(name)).expect("it is there")))
            .collect()
    }
}

fn file() -> impl Strategy<Value = FileName> {
    prop::sample::select(vec!["log-1", "log-2", "promise", "tmp"])
        .prop_map(|name| FileName::new(name).expect("a name"))
}

/// Places around the borders of sectors, and anywhere.
fn offset() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0..6u64, 0..3u64).prop_map(|(sector, near)| (sector * 512 + near).saturating_sub(1)),
        0..3000u64
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        (1..4usize, any::<u8>()).prop_map(|(sectors, byte)| vec![byte; sectors * 512]),
        (0..1700usize, 0..3u8).prop_map(|(size, byte)| vec![byte; size]),
    ]
}

fn operation() -> impl Strategy<Value = DiskOp> {
    prop_oneof![
        1 => Just(DiskOp::List),
        2 => file().prop_map(DiskOp::Length),
        5 => (
            file(),
            offset(),
            0..3000u32,
        ).prop_map(|(file, offset, length)| DiskOp::Read { file, offset, length }),
        5 => file().prop_map(DiskOp::Create),
        9 => (file(), offset(), data()).prop_map(|(file, offset, data)| DiskOp::Write {
            file,
            offset,
            data: data.into(),
        }),
        5 => (file(), offset()).prop_map(|(file, length)| DiskOp::Truncate { file, length }),
        3 => (file(), file()).prop_map(|(from, to)| DiskOp::Rename { from, to }),
        1 => file().prop_map(DiskOp::Remove),
        3 => file().prop_map(DiskOp::Sync),
        1 => Just(DiskOp::SyncDir),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_disk_without_faults_is_a_folder(operations in prop::collection::vec(operation(), 1..60)) {
        let folder = Folder { root: tempfile::tempdir().expect("a temporary folder") };
        let (mut disk, mut choices) = (Disk::formatted(&[], 1 << 30), Seeded::new(0));
        for operation in &operations {
            let ticket = disk.submit(operation.clone());
            let simulated = disk.complete(ticket, Fate::Ok, &mut choices, FaultAt::nobody(0)).result;
            prop_assert_eq!(simulated, folder.perform(operation), "{:?}", operation);
        }
        let content: Vec<_> = disk.visible_image().into_iter().collect();
        prop_assert_eq!(&content, &folder.content());
        disk.kill(&mut choices, FaultAt::nobody(0));
        let content: Vec<_> = disk.visible_image().into_iter().collect();
        prop_assert_eq!(content, folder.content(), "a kill changes nothing that is complete");
    }
}
