-- A queue as schema 3 had it: two jobs in each state, with what belongs to them.
BEGIN TRANSACTION;
CREATE TABLE areas (             -- the areas (first digits) that a trunk has called before
        trunk TEXT NOT NULL,
        area TEXT NOT NULL,
        first INTEGER NOT NULL,
        PRIMARY KEY (trunk, area)
    ) WITHOUT ROWID;
INSERT INTO "areas" VALUES('main','493012',1795251600000);
CREATE TABLE attempts (
        job INTEGER NOT NULL,
        number INTEGER NOT NULL,
        document TEXT NOT NULL, trunk TEXT, disposition TEXT, ended INTEGER, ref TEXT,
        PRIMARY KEY (job, number)
    ) WITHOUT ROWID;
INSERT INTO "attempts" VALUES(3764915485540352291,1,'{"channel":"PJSIP/+49301234100@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915485540352388,1,'{"channel":"PJSIP/+49301234101@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915485540352388,2,'{"channel":"PJSIP/+49301234101@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915487637504485,1,'{"channel":"PJSIP/+49301234200@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915487637504582,1,'{"channel":"PJSIP/+49301234201@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915487637504582,2,'{"channel":"PJSIP/+49301234201@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915489734656679,1,'{"channel":"PJSIP/+49301234300@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915489734656776,1,'{"channel":"PJSIP/+49301234301@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915489734656776,2,'{"channel":"PJSIP/+49301234301@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915491831808873,1,'{"channel":"PJSIP/+49301234400@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915491831808970,1,'{"channel":"PJSIP/+49301234401@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915491831808970,2,'{"channel":"PJSIP/+49301234401@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"asterisk":"run"}','main',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3764915493928961067,1,'{"channel":"PJSIP/+49301234500@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"ANSWERED","hangup_cause":17,"talk_seconds":1.5}}','main','ANSWERED',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915493928961164,1,'{"channel":"PJSIP/+49301234501@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915493928961164,2,'{"channel":"PJSIP/+49301234501@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"ANSWERED","hangup_cause":17,"talk_seconds":1.5}}','main','ANSWERED',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915496026113261,1,'{"channel":"PJSIP/+49301234600@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915496026113358,1,'{"channel":"PJSIP/+49301234601@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915496026113358,2,'{"channel":"PJSIP/+49301234601@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915498123265455,1,'{"channel":"PJSIP/+49301234700@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915498123265552,1,'{"channel":"PJSIP/+49301234701@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915498123265552,2,'{"channel":"PJSIP/+49301234701@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915500220417649,1,'{"channel":"PJSIP/+49301234800@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915500220417746,1,'{"channel":"PJSIP/+49301234801@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915500220417746,2,'{"channel":"PJSIP/+49301234801@main","begun":1795251600000,"trunk":"main","handed_over":1795251600000,"ended":1795251600000,"asterisk":"run","result":{"disposition":"BUSY","hangup_cause":17,"talk_seconds":1.5}}','main','BUSY',1795251600000,NULL);
INSERT INTO "attempts" VALUES(3764915588300801843,1,'{"channel":"","begun":1795251600000,"trunk":"cloud","handed_over":1795251600000,"ref":"m-1"}','cloud',NULL,NULL,'m-1');
INSERT INTO "attempts" VALUES(3764915588300802037,1,'{"channel":"","begun":1795251600000,"trunk":"cloud","handed_over":1795251600000,"ref":"f-1"}','cloud',NULL,NULL,'f-1');
CREATE TABLE blocks (            -- accounts whose provider asked us to wait
        provider TEXT PRIMARY KEY,
        until INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "blocks" VALUES('cloud',1795255200000);
CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        job INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,1795251600000,3764915483443200097,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(2,1795251600000,3764915483443200194,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(3,1795251600000,3764915485540352291,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(4,1795251600000,3764915485540352291,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(5,1795251600000,3764915485540352388,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(6,1795251600000,3764915485540352388,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(7,1795251600000,3764915485540352388,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(8,1795251600000,3764915487637504485,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(9,1795251600000,3764915487637504485,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(10,1795251600000,3764915487637504582,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(11,1795251600000,3764915487637504582,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(12,1795251600000,3764915487637504582,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(13,1795251600000,3764915489734656679,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(14,1795251600000,3764915489734656679,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(15,1795251600000,3764915489734656776,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(16,1795251600000,3764915489734656776,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(17,1795251600000,3764915489734656776,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(18,1795251600000,3764915491831808873,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(19,1795251600000,3764915491831808873,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(20,1795251600000,3764915491831808970,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(21,1795251600000,3764915491831808970,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(22,1795251600000,3764915491831808970,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(23,1795251600000,3764915493928961067,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(24,1795251600000,3764915493928961067,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(25,1795251600000,3764915493928961164,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(26,1795251600000,3764915493928961164,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(27,1795251600000,3764915493928961164,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(28,1795251600000,3764915496026113261,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(29,1795251600000,3764915496026113261,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(30,1795251600000,3764915496026113358,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(31,1795251600000,3764915496026113358,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(32,1795251600000,3764915496026113358,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(33,1795251600000,3764915498123265455,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(34,1795251600000,3764915498123265455,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(35,1795251600000,3764915498123265552,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(36,1795251600000,3764915498123265552,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(37,1795251600000,3764915498123265552,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(38,1795251600000,3764915500220417649,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(39,1795251600000,3764915500220417649,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(40,1795251600000,3764915500220417746,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(41,1795251600000,3764915500220417746,'leased','{"state":"active","attempt":1}');
INSERT INTO "events" VALUES(42,1795251600000,3764915500220417746,'leased','{"state":"active","attempt":2}');
INSERT INTO "events" VALUES(43,1795251600000,3764915588300801843,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(44,1795251600000,3764915588300801940,'accepted','{"state":"queued"}');
INSERT INTO "events" VALUES(45,1795251600000,3764915588300802037,'accepted','{"state":"queued"}');
CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,     -- core/ids.py: grows with time
        owner INTEGER NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        ready INTEGER,              -- waiting: 1 due, 0 not before `not_before`; NULL in every other state
        not_before INTEGER,         -- ms since the epoch, as all times here
        not_after INTEGER,
        updated INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        reason TEXT NOT NULL,
        requested TEXT,
        batch TEXT,
        number TEXT,                -- the (first) number called
        document TEXT NOT NULL      -- JSON of what never changes
    , trunk TEXT NOT NULL DEFAULT '', turn INTEGER NOT NULL DEFAULT 0, disposition TEXT, look_at INTEGER, kind TEXT NOT NULL DEFAULT 'call');
INSERT INTO "jobs" VALUES(3764915483443200097,1000,'queued',5,1,NULL,NULL,1795251600000,0,0,'why',NULL,NULL,'+49301234000','{"call":{"to":["+49301234000"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-0-0","on_doubt":"hold","ways":["main","backup"]}','main',0,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915483443200194,1001,'queued',5,2,NULL,1796029200000,1795251600000,0,0,'why',NULL,'spring','+49301234001','{"call":{"to":["+49301234001"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-0-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',0,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915485540352291,1000,'deferred',5,0,1795255200000,NULL,1795251660000,1,0,'why',NULL,NULL,'+49301234100','{"call":{"to":["+49301234100"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-1-0","on_doubt":"hold","ways":["main","backup"]}','main',1,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915485540352388,1001,'deferred',5,0,1795255200000,NULL,1795251660000,2,0,'why',NULL,'spring','+49301234101','{"call":{"to":["+49301234101"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-1-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',1,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915487637504485,1000,'active',5,NULL,NULL,NULL,1795251720000,1,0,'why',NULL,NULL,'+49301234200','{"call":{"to":["+49301234200"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-2-0","on_doubt":"hold","ways":["main","backup"]}','main',2,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915487637504582,1001,'active',5,NULL,NULL,NULL,1795251720000,2,0,'why',NULL,'spring','+49301234201','{"call":{"to":["+49301234201"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-2-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',2,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915489734656679,1000,'submitted',5,NULL,NULL,NULL,1795251780000,1,0,'why',NULL,NULL,'+49301234300','{"call":{"to":["+49301234300"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-3-0","on_doubt":"hold","ways":["main","backup"]}','main',3,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915489734656776,1001,'submitted',5,NULL,NULL,NULL,1795251780000,2,0,'why',NULL,'spring','+49301234301','{"call":{"to":["+49301234301"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-3-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',3,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915491831808873,1000,'held',5,NULL,NULL,NULL,1795251840000,1,0,'why',NULL,NULL,'+49301234400','{"call":{"to":["+49301234400"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-4-0","on_doubt":"hold","ways":["main","backup"]}','main',4,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915491831808970,1001,'held',5,NULL,NULL,NULL,1795251840000,2,0,'why',NULL,'spring','+49301234401','{"call":{"to":["+49301234401"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-4-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',4,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915493928961067,1000,'completed',5,NULL,NULL,NULL,1795251900000,1,0,'why',NULL,NULL,'+49301234500','{"call":{"to":["+49301234500"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-5-0","on_doubt":"hold","ways":["main","backup"]}','main',5,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915493928961164,1001,'completed',5,NULL,NULL,NULL,1795251900000,2,0,'why',NULL,'spring','+49301234501','{"call":{"to":["+49301234501"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-5-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',5,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915496026113261,1000,'failed',5,NULL,NULL,NULL,1795251960000,1,0,'why',NULL,NULL,'+49301234600','{"call":{"to":["+49301234600"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-6-0","on_doubt":"hold","ways":["main","backup"]}','main',6,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915496026113358,1001,'failed',5,NULL,NULL,NULL,1795251960000,2,0,'why',NULL,'spring','+49301234601','{"call":{"to":["+49301234601"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-6-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',6,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915498123265455,1000,'expired',5,NULL,NULL,NULL,1795252020000,1,0,'why',NULL,NULL,'+49301234700','{"call":{"to":["+49301234700"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-7-0","on_doubt":"hold","ways":["main","backup"]}','main',7,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915498123265552,1001,'expired',5,NULL,NULL,NULL,1795252020000,2,0,'why',NULL,'spring','+49301234701','{"call":{"to":["+49301234701"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-7-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',7,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915500220417649,1000,'cancelled',5,NULL,NULL,NULL,1795252080000,1,0,'why',NULL,NULL,'+49301234800','{"call":{"to":["+49301234800"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-8-0","on_doubt":"hold","ways":["main","backup"]}','main',8,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915500220417746,1001,'cancelled',5,NULL,NULL,NULL,1795252080000,2,0,'why',NULL,'spring','+49301234801','{"call":{"to":["+49301234801"],"trunk":"main","play":"hello-world","variables":[["A","1"]]},"created":1795251600000,"key":"key-8-1","tags":["blue"],"on_doubt":"hold","ways":["main","backup"]}','main',8,NULL,NULL,'call');
INSERT INTO "jobs" VALUES(3764915588300801843,1000,'submitted',5,NULL,NULL,NULL,1795251600000,1,0,'',NULL,NULL,'+4930999','{"call":{"to":["+4930999"]},"created":1795251600000,"on_doubt":"hold","task":{"body":"Hello"}}','cloud',0,NULL,1795251660000,'sms');
INSERT INTO "jobs" VALUES(3764915588300801940,1000,'queued',5,1,NULL,NULL,1795251600000,0,0,'',NULL,NULL,'+4930999','{"call":{"to":["+4930999"]},"created":1795251600000,"on_doubt":"hold","task":{"body":"Later"}}','cloud',0,NULL,NULL,'sms');
INSERT INTO "jobs" VALUES(3764915588300802037,1000,'submitted',5,NULL,NULL,NULL,1795251600000,1,0,'',NULL,NULL,'+4930999','{"call":{"to":["+4930999"]},"created":1795251600000,"on_doubt":"hold","task":{"document":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","media_type":"application/pdf","size":9}}','cloud',0,NULL,1795251900000,'fax');
CREATE TABLE keys (
        owner INTEGER NOT NULL,
        key TEXT NOT NULL,
        job INTEGER NOT NULL,
        digest BLOB NOT NULL,
        PRIMARY KEY (owner, key)
    ) WITHOUT ROWID;
INSERT INTO "keys" VALUES(1000,'key-0-0',3764915483443200097,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-1-0',3764915485540352291,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-2-0',3764915487637504485,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-3-0',3764915489734656679,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-4-0',3764915491831808873,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-5-0',3764915493928961067,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-6-0',3764915496026113261,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-7-0',3764915498123265455,X'646967657374');
INSERT INTO "keys" VALUES(1000,'key-8-0',3764915500220417649,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-0-1',3764915483443200194,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-1-1',3764915485540352388,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-2-1',3764915487637504582,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-3-1',3764915489734656776,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-4-1',3764915491831808970,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-5-1',3764915493928961164,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-6-1',3764915496026113358,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-7-1',3764915498123265552,X'646967657374');
INSERT INTO "keys" VALUES(1001,'key-8-1',3764915500220417746,X'646967657374');
CREATE TABLE orders (            -- standing orders: what is paused, which batches are being cancelled
        scope TEXT PRIMARY KEY,      -- all, trunk:NAME, batch:OWNER:NAME
        word TEXT NOT NULL,          -- paused, cancelled
        owner INTEGER NOT NULL,      -- who gave it
        at INTEGER NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "orders" VALUES('batch:1001:spring','paused',1001,1795251600000,'');
INSERT INTO "orders" VALUES('trunk:main','paused',0,1795251600000,'line is down');
CREATE TABLE purged_keys (       -- keys that outlive their jobs, and when those were purged
        at INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (at, owner, key)
    ) WITHOUT ROWID;
CREATE TABLE sessions (          -- IVR sessions under way, and whose attempt each is
        provider TEXT NOT NULL,
        session TEXT NOT NULL,
        job INTEGER NOT NULL,
        PRIMARY KEY (provider, session)
    ) WITHOUT ROWID;
INSERT INTO "sessions" VALUES('cloud','s-1',3764915588300802037);
CREATE TABLE tags (
        tag TEXT NOT NULL,
        job INTEGER NOT NULL,
        PRIMARY KEY (tag, job)
    ) WITHOUT ROWID;
INSERT INTO "tags" VALUES('blue',3764915483443200194);
INSERT INTO "tags" VALUES('blue',3764915485540352388);
INSERT INTO "tags" VALUES('blue',3764915487637504582);
INSERT INTO "tags" VALUES('blue',3764915489734656776);
INSERT INTO "tags" VALUES('blue',3764915491831808970);
INSERT INTO "tags" VALUES('blue',3764915493928961164);
INSERT INTO "tags" VALUES('blue',3764915496026113358);
INSERT INTO "tags" VALUES('blue',3764915498123265552);
INSERT INTO "tags" VALUES('blue',3764915500220417746);
CREATE TABLE usage (             -- what was called, by day and by whom it counts for
        day TEXT NOT NULL,           -- 2026-11-21, in the zone of [caps]
        scope TEXT NOT NULL,         -- all, trunk:NAME, owner:UID
        calls INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        cost INTEGER NOT NULL,       -- units of 1/10000
        PRIMARY KEY (day, scope)
    ) WITHOUT ROWID;
INSERT INTO "usage" VALUES('2026-11-21','all',7,420,9000);
CREATE INDEX jobs_later ON jobs (not_before) WHERE ready = 0;
CREATE INDEX jobs_expiring ON jobs (not_after) WHERE ready IS NOT NULL AND not_after IS NOT NULL;
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_batch ON jobs (batch, id) WHERE batch IS NOT NULL;
CREATE INDEX jobs_number ON jobs (number, id) WHERE number IS NOT NULL;
CREATE INDEX events_job ON events (job, id);
CREATE INDEX jobs_due ON jobs (trunk, priority DESC, turn, id) WHERE ready = 1;
CREATE INDEX jobs_owner ON jobs (owner, id);
CREATE INDEX jobs_ended ON jobs (updated) WHERE ready IS NULL;
CREATE INDEX jobs_batches ON jobs (batch, owner, state, disposition, updated) WHERE batch > '';
CREATE INDEX jobs_next ON jobs (batch, owner, not_before) WHERE ready = 0 AND batch > '';
CREATE INDEX attempts_ended ON attempts (ended) WHERE ended IS NOT NULL;
CREATE INDEX jobs_look ON jobs (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX jobs_kind ON jobs (kind, id) WHERE kind <> 'call';
CREATE INDEX attempts_ref ON attempts (trunk, ref) WHERE ref IS NOT NULL;
INSERT INTO "sqlite_sequence" VALUES('events',45);
COMMIT;
PRAGMA user_version = 3;
