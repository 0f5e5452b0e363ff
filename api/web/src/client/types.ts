/** The API's documents under the names that the page uses. */
import type { components, operations } from './schema'

type Documents = components['schemas']

export type Alarm = Documents['Alarm']
export type AlarmFigures = Documents['AlarmFigures']
export type AlarmRef = Documents['AlarmRef']
export type AlarmState = Alarm['state']
export type Bucket = Documents['Bucket']
export type Equipment = Documents['Equipment']
export type LifecycleEvent = Documents['LifecycleEvent']
export type Limit = Documents['Limit']
export type Order = Documents['WorkOrder']
export type OrderSource = Order['source']
export type LoadRule = Documents['LoadRule']
export type ShelfInForce = Documents['ShelfInForce']
export type OutOfService = Documents['OutOfService']
export type OutOfServiceList = Documents['OutOfServiceList']
export type OrderState = Order['state']
export type Point = Documents['Point']
export type Priority = Alarm['priority']
export type Problem = Documents['Problem']
export type Quality = Reading['quality']
export type Reading = Documents['Reading']
export type Readings = Documents['Readings']
export type Site = Documents['Site']
export type Text = Documents['Text']
export type User = Documents['User']

export type AlarmMessage = Documents['AlarmMessage']
export type HeartbeatMessage = Documents['HeartbeatMessage']
export type OrderMessage = Documents['OrderMessage']
export type ProvisionalMessage = Documents['ProvisionalMessage']
export type ChangedMessage = Documents['ChangedMessage']
export type GoodReadings = Documents['GoodReadings']
export type ReadingsMessage = Documents['ReadingsMessage']
export type SnapshotMessage = Documents['SnapshotMessage']

export type Attachment = Documents['Attachment']
export type ContractorLink = Documents['ContractorLink']
export type PublicOrder = Documents['PublicOrder']
export type PublicStep = Documents['PublicStep']
export type Candidate = Documents['Candidate']
export type Clock = Documents['Clock']
export type Completion = Documents['Completion']
export type Material = NonNullable<Completion['materials']>[number]
export type OrderCodes = Documents['OrderCodes']
export type OrderFigures = Documents['OrderFigures']
export type OrderIndicator = Documents['OrderIndicator']
export type OrderProof = Documents['OrderProof']
export type OrderNew = Documents['OrderNew']
export type PlaceCode = Documents['PlaceCode']
export type PublicRequest = Documents['PublicRequest']
export type PromiseChange = Documents['PromiseChange']
export type RequestNew = Documents['RequestNew']
export type Suspension = Documents['Suspension']
export type Verification = Documents['Verification']
export type Visit = Documents['Visit']

export type NoticeChannel = Documents['NoticeChannel']
export type NoticeSent = Documents['NoticeSent']
export type NoticeState = NoticeSent['state']

export type AuditRow = Documents['AuditRow']
export type AuditVerdict = Documents['AuditVerdict']
export type Certificate = Documents['Certificate']
export type Me = Documents['LoggedIn']
export type Person = Documents['Person']
export type PersonChange = Documents['PersonChange']
export type PersonNew = Documents['PersonNew']
export type Role = Documents['Role']
export type RoleWord = Person['role']
export type Session = Documents['Session']
export type OwnScreen = Documents['OwnScreen']
export type Screen = Documents['Screen']
export type ScreenNew = Documents['ScreenNew']
export type Token = Documents['Token']
export type TokenNew = Documents['TokenNew']

export type Calendar = Documents['Calendar']
export type CalendarDay = Documents['CalendarDay']
export type CalendarDayChange = Documents['DayBody']
export type Leave = Documents['Leave']
export type LeaveNew = Documents['LeaveNew']
export type Override = Documents['Override']
export type OverrideNew = Documents['OverrideNew']
export type Shift = Documents['Shift']
export type Shifts = Documents['Shifts']
export type ShiftDay = Documents['ShiftDay']
export type ShiftNow = Documents['ShiftNow']
export type Team = Documents['Team']
export type TeamChange = Documents['TeamBody']

export type AllowedCommand = Documents['AllowedCommand']
export type Command = Documents['Command']
export type CommandProposal = Documents['CommandProposal']
export type Gap = Documents['Gap']
export type Link = Documents['Link']
export type Links = Documents['Links']
export type Probe = Documents['Probe']
export type ProbedPoint = Documents['ProbedPoint']
export type ProbeRequest = Documents['ProbeRequest']
export type Profile = Documents['Profile']
export type ProfileSummary = Documents['ProfileSummary']
export type UnitFigures = Documents['UnitFigures']

export type CoverageCell = Documents['CoverageCell']
export type CoverageMap = Documents['CoverageMap']
export type CoverageRow = Documents['CoverageRow']
export type FindingRow = Documents['FindingRow']
export type RegimeDetails = Documents['RegimeDetails']
export type RegimeItem = Documents['RegimeItem']
export type RegimeSummary = Documents['RegimeSummary']
export type Round = Documents['Round']
export type RoundEntry = Documents['ItemEntry']
export type RoundEntryNew = Documents['RoundEntryNew']
export type RoundItem = Documents['RoundItem']
export type RoundLevel = RoundSummary['level']
export type RoundState = RoundSummary['state']
export type RoundSummary = Documents['RoundSummary']

export type PlannedTest = Documents['PlannedTest']
export type PlannedTestNew = Documents['PlannedTestNew']
export type PlannedTestState = PlannedTest['state']
export type SheetRow = Documents['SheetRow']

export type PlanCounter = Documents['PlanCounter']
export type PlanDue = Documents['PlanDue']
export type PlanDueState = PlanDue['state']
export type PlanDueStep = Documents['PlanDueStep']
export type PlanDueWhole = Documents['PlanDueWhole']
export type PlanMonth = Documents['PlanMonth']
export type PlanSummary = Documents['PlanSummary']
export type PlanRecord = Documents['PlanRecord']
export type PlanWork = Pick<Documents['Plan'], 'materials' | 'duration_minutes' | 'doer' | 'advance'> & {
  steps: readonly (Documents['PlanStep'] | PlanDueStep)[]
}
export type PlanYearRow = Documents['PlanYearRow']

export type AnswerNew = Documents['AnswerNew']
export type Handover = Documents['Handover']
export type HandoverBlock = Documents['HandoverBlock']
export type HandoverNow = Documents['HandoverNow']
export type HandoverState = Handover['state']
export type HandoverSide = Documents['HandoverQuestion']['asked']
export type SheetLine = Documents['SheetLine']
export type ShiftEntry = Documents['ShiftEntry']
export type ShiftEntryNew = Documents['ShiftEntryNew']
export type ShiftLog = Documents['ShiftLog']
export type ShiftLogNow = Documents['ShiftLogNow']

export type Replay = Documents['Replay']
export type ReplayNew = Documents['ReplayBody']
export type RuleDetails = Documents['RuleDetails']
export type RuleEquipment = Documents['RuleEquipment']
export type RuleOverrideNew = Documents['RuleOverrideBody']
export type RuleReplay = Documents['RuleReplay']
export type RuleSummary = Documents['RuleSummary']

/** What a role may allow; the words of the server's own list. */
export type Permission =
  | 'view'
  | 'alarm.acknowledge'
  | 'alarm.shelve'
  | 'alarm.shelve_life_safety'
  | 'alarm.reset'
  | 'order.create'
  | 'order.assign'
  | 'order.accept'
  | 'order.complete'
  | 'order.verify'
  | 'order.visit'
  | 'test.plan'
  | 'test.confirm'
  | 'rules.edit'
  | 'notices.view'
  | 'notices.try'
  | 'round.enter'
  | 'round.countersign'
  | 'offline.resolve'
  | 'plan.postpone'
  | 'plan.postpone_again'
  | 'plan.void'
  | 'shift.work'
  | 'handover.override'
  | 'register.edit'
  | 'roster.edit'
  | 'calendar.edit'
  | 'people.view'
  | 'people.edit'
  | 'audit.view'
  | 'device.command'
  | 'device.probe'
  | 'demo.fault'

export type RegisterAttributes = Documents['RegisterAttributes']
export type RegisterBook = Documents['RegisterBook']
export type RegisterDate = Documents['RegisterDate']
export type RegisterDue = Documents['RegisterDue']
export type RegisterEntry = Documents['RegisterEntry']
export type RegisterImport = Documents['RegisterImport']
export type RegisterImportJob = Documents['RegisterImportJob']
export type RegisterPast = Documents['RegisterPast']
export type RanMonth = Documents['RegisterRanMonth']
export type RegisterPut = Documents['RegisterPut']
export type RegisterQuery = NonNullable<operations['register']['parameters']['query']>
export type RegisterRecord = Documents['RegisterRecord']
export type SparePart = Documents['SparePart']

export type OfflineConflict = Documents['OfflineConflict']
export type OfflineConflictPage = Documents['OfflineConflictPage']
export type OfflineLine = Documents['OfflineLine']
export type OfflineOrder = Documents['OfflineOrder']
export type OfflineResult = Documents['OfflineResult']
export type OfflineResults = Documents['OfflineResults']
export type OfflineRound = Documents['OfflineRound']
export type OfflineTheirs = Documents['OfflineTheirs']
export type OfflineToday = Documents['OfflineToday']

export type FaultOffer = Documents['FaultOffer']
export type FaultPanel = Documents['FaultPanel']
export type PlayedFault = Documents['PlayedFault']
