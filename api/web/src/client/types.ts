/** The API's documents under the names that the page uses. */
import type { components } from './schema'

type Documents = components['schemas']

export type Alarm = Documents['Alarm']
export type AlarmState = Alarm['state']
export type Bucket = Documents['Bucket']
export type Equipment = Documents['Equipment']
export type LifecycleEvent = Documents['LifecycleEvent']
export type Limit = Documents['Limit']
export type Order = Documents['WorkOrder']
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
export type ReadingsMessage = Documents['ReadingsMessage']
export type SnapshotMessage = Documents['SnapshotMessage']

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

export type Round = Documents['Round']
export type RoundEntry = Documents['ItemEntry']
export type RoundEntryNew = Documents['RoundEntryNew']
export type RoundItem = Documents['RoundItem']
export type RoundLevel = RoundSummary['level']
export type RoundState = RoundSummary['state']
export type RoundSummary = Documents['RoundSummary']

/** What a role may allow; the words of the server's own list. */
export type Permission =
  | 'view'
  | 'alarm.acknowledge'
  | 'order.accept'
  | 'order.complete'
  | 'round.enter'
  | 'round.countersign'
  | 'roster.edit'
  | 'calendar.edit'
  | 'people.view'
  | 'people.edit'
  | 'audit.view'
