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
export type ChangedMessage = Documents['ChangedMessage']
export type ReadingsMessage = Documents['ReadingsMessage']
export type SnapshotMessage = Documents['SnapshotMessage']
